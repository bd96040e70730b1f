/* SPDX-License-Identifier: Apache-2.0 */
/* "crowded": the system's VFS with room for so many bytes in all, for below the shim. */
#ifndef TESTS_VAULT_CROWDED_H
#define TESTS_VAULT_CROWDED_H

#include <stdint.h>

extern int64_t crowded_room;
/* Once, before any other; a group's setup. */
int crowded_register(void **state);

#endif
