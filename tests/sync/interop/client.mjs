// SPDX-License-Identifier: Apache-2.0
// tus-js-client uploads a batch to our post, breaks off in the middle, and goes on. usage: client.mjs URL FILE HASH
import fs from 'node:fs';
import * as tus from 'tus-js-client';

const [url, file, hash] = process.argv.slice(2);
const size = fs.statSync(file).size;

function upload(breakAt, uploadUrl) {
  return new Promise((resolve, reject) => {
    const one = new tus.Upload(fs.createReadStream(file), {
      endpoint: url + '/v1/uploads',
      uploadUrl,
      uploadSize: size,
      chunkSize: 100000,
      retryDelays: null,
      metadata: { hash, filename: 'batch.chq' },
      onError: reject,
      onSuccess: () => resolve({ url: one.url, done: true }),
      onChunkComplete: (chunk, accepted) => {
        if (breakAt && accepted >= breakAt) {
          one.abort();
          resolve({ url: one.url, done: false });
        }
      },
    });
    one.start();
  });
}

const first = await upload(250000, null);
if (first.done) throw new Error('it was to break off');
const second = await upload(0, first.url);
if (!second.done) throw new Error('it did not end');
console.log('tus-js-client: broke off and went on, complete');
