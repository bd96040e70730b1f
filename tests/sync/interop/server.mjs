// SPDX-License-Identifier: Apache-2.0
// A @tus/server for the courier's uploads. usage: server.mjs FOLDER PORTFILE
import fs from 'node:fs';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';

const [folder, portFile] = process.argv.slice(2);
const server = new Server({ path: '/v1/uploads', datastore: new FileStore({ directory: folder }) });
const http = server.listen({ host: '127.0.0.1', port: 0 }, () => {
  fs.writeFileSync(portFile, String(http.address().port));
});
