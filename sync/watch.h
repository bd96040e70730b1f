/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNC_WATCH_H
#define SYNC_WATCH_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a datagram of NETLINK_ROUTE tells of a new route or address. Reads no byte past `size`. */
bool watch_opens_way(const void *bytes, size_t size);

#endif
