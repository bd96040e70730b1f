/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAGIC "CHQO"

/* --- names --- */
static const struct {
  cq_server_kind kind;
  const char *name;
} kinds[] = {{CQ_SERVER_OPENROSA, "openrosa"}, {CQ_SERVER_CENTRAL, "central"}, {CQ_SERVER_KOBO, "kobo"}};

const char *cq_server_kind_name(cq_server_kind kind) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (kinds[i].kind == kind) return kinds[i].name;
  return NULL;
}

bool cq_server_kind_parse(cq_str name, cq_server_kind *kind) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (!cq_str_is(name, kinds[i].name)) continue;
    *kind = kinds[i].kind;
    return true;
  }
  return false;
}

/* --- addresses --- */
static bool starts(cq_str text, const char *prefix) {
  return cq_str_starts(text, cq_str_from(prefix));
}

static bool ends(cq_str text, const char *ending) {
  size_t size = strlen(ending);
  return text.size > size && memcmp(text.at + text.size - size, ending, size) == 0;
}

/* The host of "scheme://host…", with its port. */
static cq_str host_of(cq_str url, size_t scheme) {
  size_t end = scheme;
  while (end < url.size && url.at[end] != '/' && url.at[end] != '?' && url.at[end] != '#') end++;
  return (cq_str){url.at + scheme, end - scheme};
}

static bool is_this_machine(cq_str host) {
  static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t size = strlen(names[i]);
    if (starts(host, names[i]) && (host.size == size || host.at[size] == ':')) return true;
  }
  return false;
}

static size_t find(cq_str text, const char *what) {
  size_t size = strlen(what);
  for (size_t at = 0; at + size <= text.size; at++)
    if (memcmp(text.at + at, what, size) == 0) return at;
  return text.size;
}

/* At least `least` bytes stay: a host may be called like an ending. */
static cq_str without_end(cq_str url, size_t least) {
  static const char *const endings[] = {"/", "/formList", "/submission"};
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t size = strlen(endings[i]);
    if (!ends(url, endings[i]) || url.size - size < least) continue;
    url.size -= size;
    i = (size_t)-1;
  }
  return url;
}

cq_status cq_server_address(cq_buf *address, cq_buf *secret, cq_str typed, cq_error *error) {
  cq_str url = cq_str_trim(typed);
  size_t scheme = starts(url, "https://") ? 8 : starts(url, "http://") ? 7 : 0;
  cq_str host = host_of(url, scheme);
  cq_buf_reset(address);
  cq_buf_reset(secret);
  bool right = scheme && host.size > 0 && url.size <= CQ_HANDOVER_MAX_URL && find(host, "@") == host.size;
  for (size_t i = 0; right && i < url.size; i++) right = (unsigned char)url.at[i] > ' ' && url.at[i] != 0x7f;
  if (!right) return cq_error_set(error, CQ_INVALID, "openrosa.url", NULL);
  if (scheme == 7 && !is_this_machine(host)) return cq_error_set(error, CQ_REFUSED, "openrosa.clear", NULL);
  url = without_end(url, scheme + host.size);
  size_t page = find(url, "/#/projects/"), key = find(url, "/v1/key/");
  if (page < url.size) {
    size_t from = page + strlen("/#/projects/"), to = from;
    while (to < url.size && url.at[to] >= '0' && url.at[to] <= '9') to++;
    cq_buf_add(address, url.at, page);
    cq_buf_add_text(address, "/v1/projects/");
    cq_buf_add(address, url.at + from, to - from);
    right = to > from;
  } else if (key < url.size) {
    size_t from = key + strlen("/v1/key/"), to = from;
    while (to < url.size && url.at[to] != '/') to++;
    cq_buf_reserve(secret, to - from);
    cq_buf_add(secret, url.at + from, to - from);
    cq_buf_add(address, url.at, key);
    cq_buf_add_text(address, "/v1");
    cq_buf_add(address, url.at + to, url.size - to);
    right = to > from;
  } else {
    right = find(url, "#") == url.size && find(url, "?") == url.size;
    cq_buf_add_str(address, url);
  }
  if (!right) return cq_error_set(error, CQ_INVALID, "openrosa.url", NULL);
  return address->failed || secret->failed ? cq_error_nomem(error) : CQ_OK;
}

static const struct {
  cq_delivery outcome;
  const char *code;
} outcomes[] = {{CQ_DELIVERY_ACCEPTED, "openrosa.answer.accepted"},
                {CQ_DELIVERY_UNCLEAR, "openrosa.answer.unclear"},
                {CQ_DELIVERY_BUSY, "openrosa.answer.busy"},
                {CQ_DELIVERY_FAULT, "openrosa.answer.fault"},
                {CQ_DELIVERY_QUOTA, "openrosa.answer.quota"},
                {CQ_DELIVERY_CLOSED, "openrosa.answer.closed"},
                {CQ_DELIVERY_UNASSIGNED, "openrosa.answer.unassigned"},
                {CQ_DELIVERY_FORM, "openrosa.answer.form"},
                {CQ_DELIVERY_DELETED, "openrosa.answer.deleted"},
                {CQ_DELIVERY_ORIGINAL, "openrosa.answer.original"},
                {CQ_DELIVERY_UNTRIED, "openrosa.answer.untried"},
                {CQ_DELIVERY_CONFLICT, "openrosa.answer.conflict"},
                {CQ_DELIVERY_MALFORMED, "openrosa.answer.malformed"},
                {CQ_DELIVERY_LARGE, "openrosa.answer.large"}};

const char *cq_delivery_code(unsigned outcome) {
  for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
    if ((unsigned)outcomes[i].outcome == outcome) return outcomes[i].code;
  return "openrosa.answer.unknown";
}

bool cq_delivery_is_done(unsigned outcome) {
  return outcome >= 1 && outcome <= 15;
}

bool cq_delivery_is_refused(unsigned outcome) {
  return outcome >= 32;
}

/* Faults that end a run, by their number on the wire. New ones go to the end. */
static const struct {
  const char *code;
  cq_status status;
} faults[] = {{NULL, CQ_OK},
              {"openrosa.fault", CQ_IO},
              {"cli.cancelled", CQ_CANCELLED},
              {"memory", CQ_NOMEM},
              {"sync.net.name", CQ_IO},
              {"sync.net.connect", CQ_IO},
              {"sync.net.time", CQ_IO},
              {"sync.net.broken", CQ_IO},
              {"sync.net.proxy", CQ_IO},
              {"sync.net.tls", CQ_IO},
              {"sync.net.tls.date", CQ_IO},
              {"sync.net.large", CQ_LIMIT},
              {"sync.net.url", CQ_INVALID},
              {"openrosa.url", CQ_INVALID},
              {"openrosa.secret", CQ_REFUSED},
              {"openrosa.strange", CQ_IO},
              {"openrosa.moved", CQ_REFUSED},
              {"openrosa.busy", CQ_BUSY},
              {"openrosa.clear", CQ_REFUSED},
              {"openrosa.project", CQ_NOTFOUND},
              {"openrosa.list", CQ_INVALID},
              {"openrosa.form.hash", CQ_IO},
              {"openrosa.form.large", CQ_LIMIT},
              {"io.write", CQ_IO},
              {"io.open", CQ_IO},
              {"io.create", CQ_IO},
              {"io.fsync", CQ_IO},
              {"io.rename", CQ_IO},
              {"openrosa.quota", CQ_BUSY},
              {"sync.busy", CQ_BUSY},
              {"handover.malformed", CQ_INVALID},
              {"handover.broken", CQ_IO}};
enum { FAULTS = sizeof faults / sizeof *faults, FAULT_OTHER = 1 };

/* --- fields --- */
static void put_number(cq_buf *out, uint64_t value, int size) {
  for (int i = 0; i < size; i++) cq_buf_add_char(out, (char)(value >> (8 * i)));
}

static void put_text(cq_buf *out, cq_str text) {
  put_number(out, text.size, 4);
  cq_buf_add_str(out, text);
}

typedef struct reader {
  cq_str left;
  bool wrong;
} reader;

static uint64_t get_number(reader *r, int size) {
  uint64_t value = 0;
  if (r->left.size < (size_t)size) {
    r->wrong = true;
    return 0;
  }
  for (int i = 0; i < size; i++) value |= (uint64_t)(uint8_t)r->left.at[i] << (8 * i);
  r->left.at += size;
  r->left.size -= (size_t)size;
  return value;
}

static cq_str get_text(reader *r, size_t most) {
  size_t size = (size_t)get_number(r, 4);
  if (r->wrong || size > most || size > r->left.size) {
    r->wrong = true;
    return CQ_STR("");
  }
  cq_str text = {r->left.at, size};
  r->left.at += size;
  r->left.size -= size;
  return text;
}

static cq_status malformed(cq_error *error) {
  return cq_error_set(error, CQ_INVALID, "handover.malformed", NULL);
}

static cq_status ended(const reader *r, cq_error *error) {
  return r->wrong || r->left.size ? malformed(error) : CQ_OK;
}

/* --- each frame --- */
void cq_handover_put_hello(cq_buf *out) {
  cq_buf_reset(out);
  cq_buf_add_text(out, MAGIC);
  put_number(out, CQ_HANDOVER_VERSION, 1);
}

cq_status cq_handover_get_hello(cq_str frame, cq_error *error) {
  if (frame.size != 5 || memcmp(frame.at, MAGIC, 4) != 0) return malformed(error);
  if ((uint8_t)frame.at[4] == CQ_HANDOVER_VERSION) return CQ_OK;
  return cq_error_set(error, CQ_FUTURE, "handover.future", NULL);
}

void cq_handover_put_server(cq_buf *out, const cq_handover_server *server) {
  cq_buf_reset(out);
  /* One allocation: what grows leaves copies of the secret behind. */
  cq_buf_reserve(out, server->url.size + server->user.size + server->secret.size + server->ca.size + 64);
  put_number(out, server->kind, 1);
  put_text(out, server->url);
  put_text(out, server->user);
  put_text(out, server->secret);
  put_text(out, server->ca);
  put_number(out, server->bytes_per_second, 8);
  put_number(out, server->silence_seconds, 4);
}

cq_status cq_handover_get_server(cq_handover_server *server, cq_str frame, cq_error *error) {
  reader r = {frame, false};
  server->kind = (cq_server_kind)get_number(&r, 1);
  server->url = get_text(&r, CQ_HANDOVER_MAX_URL);
  server->user = get_text(&r, CQ_HANDOVER_MAX_SECRET);
  server->secret = get_text(&r, CQ_HANDOVER_MAX_SECRET);
  server->ca = get_text(&r, CQ_HANDOVER_MAX_CA);
  server->bytes_per_second = get_number(&r, 8);
  server->silence_seconds = (uint32_t)get_number(&r, 4);
  if (!cq_server_kind_name(server->kind) || server->bytes_per_second > INT64_MAX) r.wrong = true;
  return ended(&r, error);
}

void cq_handover_put_text(cq_buf *out, cq_str folder) {
  cq_buf_reset(out);
  put_text(out, folder);
}

cq_status cq_handover_get_text(cq_str *folder, cq_str frame, cq_error *error) {
  reader r = {frame, false};
  *folder = get_text(&r, CQ_HANDOVER_MAX_MESSAGE);
  return ended(&r, error);
}

void cq_handover_put_submit(cq_buf *out, const cq_handover_submit *submit) {
  cq_buf_reset(out);
  cq_buf_reserve(out, submit->xml.size + submit->form_id.size + submit->form_version.size + 64);
  put_number(out, submit->number, 4);
  put_text(out, submit->form_id);
  put_text(out, submit->form_version);
  put_text(out, submit->xml);
  put_number(out, submit->is_edit, 1);
  put_number(out, submit->file_count, 2);
  for (size_t i = 0; i < submit->file_count; i++) {
    put_text(out, submit->files[i].name);
    put_text(out, submit->files[i].media_type);
    put_number(out, submit->files[i].size, 8);
    put_number(out, submit->files[i].taken, 1);
  }
}

/* A name goes into a header of the request: no quotes or controls may stand in it. */
static bool is_file_name(cq_str name) {
  if (name.size == 0 || name.size > 255 || !cq_utf8_valid(name)) return false;
  for (size_t i = 0; i < name.size; i++) {
    unsigned char c = (unsigned char)name.at[i];
    if (c < ' ' || c == 0x7f || c == '/' || c == '\\') return false;
  }
  return true;
}

cq_status cq_handover_get_submit(cq_handover_submit *submit, cq_handover_file *files, cq_str frame, cq_error *error) {
  reader r = {frame, false};
  submit->number = (uint32_t)get_number(&r, 4);
  submit->form_id = get_text(&r, 1024);
  submit->form_version = get_text(&r, 1024);
  submit->xml = get_text(&r, CQ_HANDOVER_MAX_FRAME);
  submit->is_edit = get_number(&r, 1) == 1;
  submit->files = files;
  submit->file_count = (size_t)get_number(&r, 2);
  if (submit->file_count > CQ_HANDOVER_MAX_FILES || submit->xml.size == 0) return malformed(error);
  for (size_t i = 0; i < submit->file_count && !r.wrong; i++) {
    files[i].name = get_text(&r, 255);
    files[i].media_type = get_text(&r, 255);
    files[i].size = get_number(&r, 8);
    files[i].taken = get_number(&r, 1) == 1;
    if (!is_file_name(files[i].name)) r.wrong = true;
  }
  return ended(&r, error);
}

void cq_handover_put_want(cq_buf *out, size_t file) {
  cq_buf_reset(out);
  put_number(out, file, 2);
}

cq_status cq_handover_get_want(size_t *file, cq_str frame, cq_error *error) {
  reader r = {frame, false};
  *file = (size_t)get_number(&r, 2);
  return ended(&r, error);
}

void cq_handover_put_taken(cq_buf *out, uint32_t number, const uint16_t *files, size_t count) {
  cq_buf_reset(out);
  put_number(out, number, 4);
  put_number(out, count, 2);
  for (size_t i = 0; i < count; i++) put_number(out, files[i], 2);
}

cq_status cq_handover_get_taken(uint32_t *number, uint16_t files[CQ_HANDOVER_MAX_FILES], size_t *count, cq_str frame,
                                cq_error *error) {
  reader r = {frame, false};
  *number = (uint32_t)get_number(&r, 4);
  *count = (size_t)get_number(&r, 2);
  if (*count > CQ_HANDOVER_MAX_FILES) return malformed(error);
  for (size_t i = 0; i < *count; i++) files[i] = (uint16_t)get_number(&r, 2);
  return ended(&r, error);
}

void cq_handover_put_answer(cq_buf *out, const cq_handover_answer *answer) {
  cq_buf_reset(out);
  put_number(out, answer->number, 4);
  put_number(out, answer->outcome, 1);
  put_number(out, answer->http, 2);
  put_text(out, answer->message);
}

cq_status cq_handover_get_answer(cq_handover_answer *answer, cq_str frame, cq_error *error) {
  reader r = {frame, false};
  answer->number = (uint32_t)get_number(&r, 4);
  answer->outcome = (unsigned)get_number(&r, 1);
  answer->http = (unsigned)get_number(&r, 2);
  answer->message = get_text(&r, CQ_HANDOVER_MAX_MESSAGE);
  if (answer->outcome == 0 || !cq_utf8_valid(answer->message)) r.wrong = true;
  return ended(&r, error);
}

void cq_handover_put_pulled(cq_buf *out, const cq_handover_pulled *pulled) {
  cq_buf_reset(out);
  put_number(out, pulled->offered, 4);
  put_number(out, pulled->forms, 4);
  put_number(out, pulled->files, 4);
  put_number(out, pulled->unchanged, 4);
  put_number(out, pulled->failed, 4);
}

cq_status cq_handover_get_pulled(cq_handover_pulled *pulled, cq_str frame, cq_error *error) {
  reader r = {frame, false};
  pulled->offered = (uint32_t)get_number(&r, 4);
  pulled->forms = (uint32_t)get_number(&r, 4);
  pulled->files = (uint32_t)get_number(&r, 4);
  pulled->unchanged = (uint32_t)get_number(&r, 4);
  pulled->failed = (uint32_t)get_number(&r, 4);
  return ended(&r, error);
}

void cq_handover_put_end(cq_buf *out, const cq_error *fault) {
  size_t number = 0;
  bool any = fault && fault->code;
  cq_buf_reset(out);
  for (size_t i = 1; any && i < FAULTS && !number; i++)
    if (strcmp(fault->code, faults[i].code) == 0) number = i;
  bool known = number != 0;
  if (any && !known) number = FAULT_OTHER;
  put_number(out, number, 1);
  put_text(out, any ? cq_str_from(known ? fault->argc > 0 ? fault->arg[0] : "" : fault->code) : CQ_STR(""));
  put_text(out, any && known && fault->argc > 1 ? cq_str_from(fault->arg[1]) : CQ_STR(""));
}

static void to_arg(char out[CQ_ERROR_ARG_SIZE], cq_str text) {
  size_t size = text.size < CQ_ERROR_ARG_SIZE - 1 ? text.size : CQ_ERROR_ARG_SIZE - 1;
  memcpy(out, text.at, size);
  out[size] = '\0';
}

cq_status cq_handover_get_end(cq_error *fault, cq_str frame, cq_error *error) {
  reader r = {frame, false};
  char first[CQ_ERROR_ARG_SIZE], second[CQ_ERROR_ARG_SIZE];
  size_t number = (size_t)get_number(&r, 1);
  to_arg(first, get_text(&r, CQ_ERROR_ARG_SIZE));
  to_arg(second, get_text(&r, CQ_ERROR_ARG_SIZE));
  cq_status status = ended(&r, error);
  if (status) return status;
  cq_error_clear(fault);
  if (number >= FAULTS) number = FAULT_OTHER;
  if (number) cq_error_set(fault, faults[number].status, faults[number].code, first, second, NULL);
  return CQ_OK;
}

/* --- the sockets --- */
static cq_status broken(cq_error *error) {
  return cq_error_set(error, CQ_IO, "handover.broken", NULL);
}

static cq_status send_all(int fd, const char *at, size_t left, cq_error *error) {
  while (left) {
    ssize_t n = send(fd, at, left, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return broken(error);
    at += n;
    left -= (size_t)n;
  }
  return CQ_OK;
}

cq_status cq_handover_send(int fd, cq_handover_type type, cq_str content, cq_error *error) {
  char head[5];
  if (content.size > CQ_HANDOVER_MAX_FRAME) return malformed(error);
  for (int i = 0; i < 4; i++) head[i] = (char)(content.size >> (8 * i));
  head[4] = (char)type;
  cq_status status = send_all(fd, head, sizeof head, error);
  return status ? status : send_all(fd, content.at, content.size, error);
}

static cq_status receive_all(int fd, char *at, size_t left, cq_error *error) {
  while (left) {
    ssize_t n = read(fd, at, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return broken(error);
    at += n;
    left -= (size_t)n;
  }
  return CQ_OK;
}

cq_status cq_handover_receive(int fd, cq_handover_type *type, cq_buf *content, cq_error *error) {
  uint8_t head[5];
  cq_buf_reset(content);
  cq_status status = receive_all(fd, (char *)head, sizeof head, error);
  if (status) return status;
  size_t size = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
  *type = (cq_handover_type)head[4];
  if (size > CQ_HANDOVER_MAX_FRAME) return malformed(error);
  if (!cq_buf_reserve(content, size + 1)) return cq_error_nomem(error);
  status = receive_all(fd, content->at, size, error);
  content->size = status ? 0 : size;
  content->at[content->size] = '\0';
  return status;
}
