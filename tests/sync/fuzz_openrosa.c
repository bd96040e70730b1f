/* SPDX-License-Identifier: Apache-2.0 */
/* What an OpenRosa server and a collector may send: the first byte says which reader gets the rest. */
#include "chasqui/handover.h"
#include "sync/openrosa/server.h"
#include "sync/openrosa/xml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static cq_status seen(void *context, const cq_str *values, cq_str type, cq_error *error) {
  size_t *sum = context;
  (void)error;
  for (int i = 0; i < ROSA_XML_FIELDS; i++) *sum += values[i].size;
  *sum += type.size;
  return CQ_OK;
}

static void read_list(cq_str text, bool manifest) {
  size_t sum = 0;
  rosa_xml list = {.root = manifest ? "manifest" : "xforms",
                   .item = manifest ? "mediaFile" : "xform",
                   .fields = {"formID", "version", "name", "hash", "downloadUrl", "filename"},
                   .seen = seen,
                   .context = &sum};
  (void)rosa_xml_read(&list, text, NULL);
}

static void read_frames(cq_str text) {
  static cq_handover_file files[CQ_HANDOVER_MAX_FILES];
  uint16_t numbers[CQ_HANDOVER_MAX_FILES];
  cq_handover_server server;
  cq_handover_submit submit;
  cq_handover_answer answer;
  cq_handover_pulled pulled;
  cq_error fault;
  cq_buf again = {0};
  uint32_t number;
  size_t count;
  cq_str folder;
  (void)cq_handover_get_hello(text, NULL);
  (void)cq_handover_get_text(&folder, text, NULL);
  (void)cq_handover_get_want(&count, text, NULL);
  (void)cq_handover_get_taken(&number, numbers, &count, text, NULL);
  (void)cq_handover_get_pulled(&pulled, text, NULL);
  (void)cq_handover_get_end(&fault, text, NULL);
  (void)cq_handover_get_server(&server, text, NULL);
  (void)cq_handover_get_answer(&answer, text, NULL);
  if (cq_handover_get_submit(&submit, files, text, NULL) == CQ_OK) {
    cq_handover_put_submit(&again, &submit);
    if (again.size != text.size) abort(); /* there is one way to write it */
  }
  cq_buf_fini(&again);
}

static void read_answer(cq_str text) {
  rosa o = {0};
  cq_buf message = {0};
  cq_buf_add_str(&o.http.body, text);
  (void)rosa_envelope(&o, &message);
  if (message.size > CQ_HANDOVER_MAX_MESSAGE || !cq_utf8_valid(cq_buf_str(&message))) abort();
  cq_buf_fini(&o.http.body);
  cq_buf_fini(&message);
}

static void read_address(cq_str text) {
  cq_buf address = {0}, secret = {0};
  if (cq_server_address(&address, &secret, text, NULL) == CQ_OK &&
      memchr(address.at, '@', strcspn(address.at + 8, "/")))
    abort();
  cq_buf_fini(&address);
  cq_buf_fini(&secret);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (size == 0) return 0;
  cq_str text = {(const char *)bytes + 1, size - 1};
  switch (bytes[0] % 5) {
  case 0: read_list(text, false); break;
  case 1: read_list(text, true); break;
  case 2: read_frames(text); break;
  case 3: read_answer(text); break;
  default: read_address(text); break;
  }
  return 0;
}
