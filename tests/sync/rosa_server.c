/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sync/rosa_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { FORMS = 16, MEDIA = 16, PARTS = 300 };
#define USER "ana"
#define REALM "servidor de prueba"
#define OPAQUE "0123456789"

typedef struct part {
  char name[256], type[128];
  cq_buf bytes;
} part;

typedef struct submission {
  char instance[128], replaced[128]; /* replaced: by this edit; "" */
  cq_buf xml;
  part *files;
  size_t file_count;
} submission;

typedef struct media {
  char name[256];
  cq_buf bytes;
  bool list;
} media;

typedef struct form {
  char id[128], version[64], hash[64];
  bool closed;
  cq_buf xml;
  media media[MEDIA];
  size_t media_count;
} form;

struct rosa_server {
  struct MHD_Daemon *daemon;
  uint16_t port;
  pthread_mutex_t lock;
  rosa_guard guard;
  uint64_t accept_length;
  form forms[FORMS];
  size_t form_count;
  const char *form_list;
  rosa_play play, play_head;
  submission *held;
  size_t held_count;
  rosa_counts counts;
  cq_buf last;
};

typedef struct request {
  struct MHD_PostProcessor *post;
  part *parts;
  size_t count;
  uint64_t size;
} request;

/* --- answers --- */
static void md5_hex(cq_str bytes, char out[33]) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size;
  EVP_Digest(bytes.at ? bytes.at : "", bytes.size, digest, &size, EVP_md5(), NULL);
  for (int i = 0; i < 16; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

typedef struct reply {
  unsigned status;
  cq_buf body;
  const char *type, *retry_after, *location;
  char etag[64];
  bool openrosa;
} reply;

static enum MHD_Result answer(rosa_server *s, struct MHD_Connection *c, reply *r) {
  char length[24];
  snprintf(length, sizeof length, "%llu", (unsigned long long)s->accept_length);
  struct MHD_Response *response =
      MHD_create_response_from_buffer(r->body.size, r->body.at ? r->body.at : "", MHD_RESPMEM_MUST_COPY);
  if (r->openrosa) {
    MHD_add_response_header(response, "X-OpenRosa-Version", "1.0");
    MHD_add_response_header(response, "X-OpenRosa-Accept-Content-Length", length);
  }
  if (r->body.size) MHD_add_response_header(response, "Content-Type", r->type ? r->type : "text/xml; charset=utf-8");
  if (r->retry_after) MHD_add_response_header(response, "Retry-After", r->retry_after);
  if (r->location) MHD_add_response_header(response, "Location", r->location);
  if (*r->etag) MHD_add_response_header(response, "ETag", r->etag);
  if (r->status >= 400 && r->status < 500) s->counts.refused++;
  enum MHD_Result result = MHD_queue_response(c, r->status, response);
  MHD_destroy_response(response);
  cq_buf_fini(&r->body);
  return result;
}

static void envelope(reply *r, unsigned status, const char *message) {
  r->status = status;
  r->openrosa = true;
  cq_buf_addf(&r->body,
              "<OpenRosaResponse xmlns=\"http://openrosa.org/http/response\"><message "
              "nature=\"%s\">%s</message></OpenRosaResponse>",
              status < 300 ? "submit_success" : "error", message);
}

/* --- who may --- */
static bool right_header(struct MHD_Connection *c, const char *wanted) {
  const char *given = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
  return given && strcmp(given, wanted) == 0;
}

/* 0: let through; else an answer was queued and this is its result + 1. */
static int guard(rosa_server *s, struct MHD_Connection *c) {
  struct MHD_Response *empty;
  reply r = {.status = 401, .type = "application/json"};
  switch (s->guard) {
  case ROSA_OPEN: return 0;
  case ROSA_BEARER:
    if (right_header(c, "Bearer " ROSA_TOKEN)) return 0;
    if (MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization")) r.status = 403;
    cq_buf_add_text(&r.body, "{\"code\":401.2,\"message\":\"Could not authenticate with the provided credentials.\"}");
    return (int)answer(s, c, &r) + 1;
  case ROSA_KOBO:
    if (right_header(c, "Token " ROSA_TOKEN)) return 0;
    return (int)answer(s, c, &r) + 1;
  case ROSA_BASIC: {
    char *password = NULL, *user = MHD_basic_auth_get_username_password(c, &password);
    bool right = user && password && strcmp(user, USER) == 0 && strcmp(password, ROSA_TOKEN) == 0;
    MHD_free(user);
    MHD_free(password);
    if (right) return 0;
    empty = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result = MHD_queue_basic_auth_fail_response(c, REALM, empty);
    MHD_destroy_response(empty);
    return (int)result + 1;
  }
  case ROSA_DIGEST: break;
  }
  char *user = MHD_digest_auth_get_username(c);
  int right = user && strcmp(user, USER) == 0
                  ? MHD_digest_auth_check2(c, REALM, USER, ROSA_TOKEN, 300, MHD_DIGEST_ALG_MD5)
                  : MHD_NO;
  MHD_free(user);
  if (right == MHD_YES) return 0;
  empty = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_MUST_COPY);
  enum MHD_Result result =
      MHD_queue_auth_fail_response2(c, REALM, OPAQUE, empty, right == MHD_INVALID_NONCE, MHD_DIGEST_ALG_MD5);
  MHD_destroy_response(empty);
  return (int)result + 1;
}

/* --- what it offers --- */
static form *find_form(rosa_server *s, const char *id, size_t size) {
  for (size_t i = 0; i < s->form_count; i++)
    if (strlen(s->forms[i].id) == size && memcmp(s->forms[i].id, id, size) == 0) return &s->forms[i];
  return NULL;
}

static void put_form_list(rosa_server *s, reply *r) {
  char md5[33], url[80];
  rosa_server_url(s, url);
  cq_buf_add_text(&r->body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xforms "
                            "xmlns=\"http://openrosa.org/xforms/xformsList\">");
  for (size_t i = 0; i < s->form_count; i++) {
    form *f = &s->forms[i];
    if (f->closed) continue;
    md5_hex(cq_buf_str(&f->xml), md5);
    cq_buf_addf(&r->body,
                "<xform><formID>%s</formID><name>%s &amp; más</name><version>%s</version><hash>%s%s</hash>"
                "<downloadUrl>%s/forms/%s.xml</downloadUrl>",
                f->id, f->id, f->version, *f->hash ? "" : "md5:", *f->hash ? f->hash : md5, url, f->id);
    if (f->media_count) cq_buf_addf(&r->body, "<manifestUrl>%s/forms/%s/manifest</manifestUrl>", url, f->id);
    cq_buf_add_text(&r->body, "</xform>");
  }
  cq_buf_add_text(&r->body, "</xforms>");
}

static void media_hash(const media *m, char out[33]) {
  cq_buf text = {0};
  cq_buf_add_str(&text, cq_buf_str(&m->bytes));
  if (m->list) cq_buf_add_text(&text, "estado"); /* no MD5 of the bytes */
  md5_hex(cq_buf_str(&text), out);
  cq_buf_fini(&text);
}

static void put_manifest(rosa_server *s, const form *f, reply *r) {
  char md5[33], url[80];
  rosa_server_url(s, url);
  cq_buf_add_text(&r->body, "<manifest xmlns=\"http://openrosa.org/xforms/xformsManifest\">");
  for (size_t i = 0; i < f->media_count; i++) {
    media_hash(&f->media[i], md5);
    cq_buf_addf(&r->body,
                "<mediaFile%s><filename>%s</filename><hash>md5:%s</hash>"
                "<downloadUrl>%s/forms/%s/attachments/%s</downloadUrl></mediaFile>",
                f->media[i].list ? " type=\"entityList\"" : "", f->media[i].name, md5, url, f->id, f->media[i].name);
  }
  cq_buf_add_text(&r->body, "</manifest>");
}

static enum MHD_Result get(rosa_server *s, struct MHD_Connection *c, const char *path) {
  reply r = {.status = 200, .openrosa = true};
  char md5[33];
  s->counts.gets++;
  const char *rest = strncmp(path, "/forms/", 7) == 0 ? path + 7 : NULL;
  size_t size = rest ? strcspn(rest, "/.") : 0;
  form *f = rest ? find_form(s, rest, size) : NULL;
  if (strcmp(path, "/formList") == 0) {
    if (s->form_list)
      cq_buf_add_text(&r.body, s->form_list);
    else
      put_form_list(s, &r);
  } else if (f && strcmp(rest + size, ".xml") == 0) {
    cq_buf_add_str(&r.body, cq_buf_str(&f->xml));
  } else if (f && strcmp(rest + size, "/manifest") == 0) {
    put_manifest(s, f, &r);
  } else {
    r.status = 404;
    for (size_t i = 0; f && strncmp(rest + size, "/attachments/", 13) == 0 && i < f->media_count; i++) {
      if (strcmp(rest + size + 13, f->media[i].name) != 0) continue;
      r.status = 200;
      cq_buf_add_str(&r.body, cq_buf_str(&f->media[i].bytes));
    }
  }
  md5_hex(cq_buf_str(&r.body), md5);
  snprintf(r.etag, sizeof r.etag, "W/\"%s\"", md5);
  const char *have = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "If-None-Match");
  if (r.status == 200 && have && strcmp(have, r.etag) == 0) {
    r.status = 304;
    s->counts.not_modified++;
    cq_buf_reset(&r.body);
  }
  return answer(s, c, &r);
}

/* --- submissions, as Central judges them --- */
static void text_of(cq_str xml, const char *tag, char out[128]) {
  char open[64];
  snprintf(open, sizeof open, "%s>", tag);
  size_t size = strlen(open);
  out[0] = '\0';
  for (size_t at = 0; at + size < xml.size; at++) {
    if (memcmp(xml.at + at, open, size) != 0) continue;
    size_t n = 0;
    for (at += size; at < xml.size && xml.at[at] != '<' && n < 127; at++) out[n++] = xml.at[at];
    out[n] = '\0';
    return;
  }
}

/* An attribute of the root. */
static void attribute_of(cq_str xml, const char *name, char out[128]) {
  char open[64];
  snprintf(open, sizeof open, " %s=\"", name);
  size_t size = strlen(open);
  size_t from = 0;
  out[0] = '\0';
  if (cq_str_starts(xml, CQ_STR("<?")))
    while (from < xml.size && xml.at[from++] != '>') continue;
  for (size_t at = from; at + size < xml.size && xml.at[at] != '>'; at++) {
    if (memcmp(xml.at + at, open, size) != 0) continue;
    size_t n = 0;
    for (at += size; at < xml.size && xml.at[at] != '"' && n < 127; at++) out[n++] = xml.at[at];
    out[n] = '\0';
    return;
  }
}

static submission *find_held(rosa_server *s, const char *instance) {
  for (size_t i = 0; i < s->held_count; i++)
    if (strcmp(s->held[i].instance, instance) == 0) return &s->held[i];
  return NULL;
}

static bool keep_files(rosa_server *s, submission *to, const request *q) {
  bool fresh = false;
  for (size_t i = 0; i < q->count; i++) {
    const part *p = &q->parts[i];
    part *found = NULL;
    if (strcmp(p->name, "xml_submission_file") == 0 || p->name[0] == '*') continue;
    for (size_t f = 0; f < to->file_count; f++)
      if (strcmp(to->files[f].name, p->name) == 0) found = &to->files[f];
    if (found && cq_str_equal(cq_buf_str(&found->bytes), cq_buf_str(&p->bytes))) continue;
    fresh = true;
    if (!found) {
      to->files = realloc(to->files, (to->file_count + 1) * sizeof *to->files);
      found = &to->files[to->file_count++];
      *found = (part){0};
      s->counts.attachments++;
    }
    snprintf(found->name, sizeof found->name, "%s", p->name);
    cq_buf_reset(&found->bytes);
    cq_buf_add_str(&found->bytes, cq_buf_str(&p->bytes));
  }
  return fresh;
}

static void judge(rosa_server *s, const request *q, reply *r) {
  const part *xml = NULL;
  char instance[128], before[128], id[128], version[128];
  for (size_t i = 0; i < q->count; i++)
    if (strcmp(q->parts[i].name, "xml_submission_file") == 0) xml = &q->parts[i];
  if (!xml) {
    envelope(r, 400, "Required multipart POST field xml_submission_file missing.");
    return;
  }
  cq_str text = cq_buf_str(&xml->bytes);
  text_of(text, "instanceID", instance);
  text_of(text, "deprecatedID", before);
  attribute_of(text, "id", id);
  attribute_of(text, "version", version);
  const form *f = find_form(s, id, strlen(id));
  if (!f || strcmp(f->version, version) != 0) {
    envelope(r, 404, "The form or version you have requested cannot be found.");
    return;
  }
  if (f->closed) {
    envelope(r, 409, "This form is not currently accepting submissions.");
    return;
  }
  submission *held = find_held(s, instance), *original = *before ? find_held(s, before) : NULL;
  if (held && *held->replaced) {
    envelope(r, 409, "This submission has been edited.");
  } else if (held && !cq_str_equal(cq_buf_str(&held->xml), text)) {
    envelope(r, 409, "A submission already exists with this ID, but with different XML.");
  } else if (held) {
    if (!keep_files(s, held, q)) s->counts.identical++;
    envelope(r, 201, "full submission upload was successful!");
  } else if (*before && (!original || *original->replaced)) {
    envelope(r, original ? 409 : 404, "no such original");
  } else {
    if (original) snprintf(original->replaced, sizeof original->replaced, "%s", instance);
    s->held = realloc(s->held, (s->held_count + 1) * sizeof *s->held);
    held = &s->held[s->held_count++];
    *held = (submission){0};
    snprintf(held->instance, sizeof held->instance, "%s", instance);
    cq_buf_add_str(&held->xml, text);
    keep_files(s, held, q);
    envelope(r, 201, "full submission upload was successful!");
  }
}

static bool take_play(rosa_play *play, reply *r) {
  if (!play->times) return false;
  play->times--;
  if (play->kind == ROSA_PLAY_LOSE) return true;
  r->status = play->status;
  r->type = play->type ? play->type : "text/html";
  r->retry_after = play->retry_after;
  r->location = play->location;
  r->openrosa = play->openrosa;
  cq_buf_reset(&r->body);
  cq_buf_add_text(&r->body, play->body ? play->body : "");
  return true;
}

static enum MHD_Result post(rosa_server *s, struct MHD_Connection *c, const request *q) {
  reply r = {0};
  rosa_play_kind kind = s->play.kind;
  bool playing = s->play.times > 0;
  s->counts.posts++;
  s->counts.bytes += q->size;
  cq_buf_reset(&s->last);
  for (size_t i = 0; i < q->count; i++)
    cq_buf_addf(&s->last, "%s %s %zu;", q->parts[i].name, q->parts[i].type, q->parts[i].bytes.size);
  if (q->size > s->accept_length) {
    envelope(&r, 413, "too large");
    return answer(s, c, &r);
  }
  if (!playing || kind != ROSA_PLAY_STATUS) judge(s, q, &r);
  if (take_play(&s->play, &r) && kind == ROSA_PLAY_LOSE) {
    s->counts.lost++;
    cq_buf_fini(&r.body);
    return MHD_NO;
  }
  return answer(s, c, &r);
}

/* --- multipart --- */
static enum MHD_Result on_part(void *context, enum MHD_ValueKind kind, const char *key, const char *filename,
                               const char *type, const char *encoding, const char *bytes, uint64_t offset,
                               size_t size) {
  request *q = context;
  (void)kind, (void)filename, (void)encoding;
  if (offset == 0 || q->count == 0) {
    if (q->count == PARTS) return MHD_NO;
    q->parts = realloc(q->parts, (q->count + 1) * sizeof *q->parts);
    part *fresh = &q->parts[q->count++];
    *fresh = (part){0};
    snprintf(fresh->name, sizeof fresh->name, "%s", key);
    snprintf(fresh->type, sizeof fresh->type, "%s", type ? type : "-");
  }
  cq_buf_add(&q->parts[q->count - 1].bytes, bytes, size);
  return MHD_YES;
}

static void request_free(request *q) {
  if (!q) return;
  if (q->post) MHD_destroy_post_processor(q->post);
  for (size_t i = 0; i < q->count; i++) cq_buf_fini(&q->parts[i].bytes);
  free(q->parts);
  free(q);
}

static void on_end(void *context, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why) {
  (void)context, (void)c, (void)why;
  request_free(*state);
  *state = NULL;
}

static enum MHD_Result serve(rosa_server *s, struct MHD_Connection *c, const char *path, const char *method,
                             const request *q) {
  reply r = {0};
  s->counts.requests++;
  if (strcmp(method, "HEAD") == 0) {
    s->counts.heads++;
    if (take_play(&s->play_head, &r)) return answer(s, c, &r);
  }
  int stopped = guard(s, c);
  if (stopped) return (enum MHD_Result)(stopped - 1);
  if (!MHD_lookup_connection_value(c, MHD_HEADER_KIND, "X-OpenRosa-Version") ||
      !MHD_lookup_connection_value(c, MHD_HEADER_KIND, "User-Agent")) {
    r.status = 400;
    return answer(s, c, &r);
  }
  if (strncmp(path, ROSA_PROJECT "/", sizeof ROSA_PROJECT) != 0) {
    envelope(&r, 404, "no such project");
    return answer(s, c, &r);
  }
  path += sizeof ROSA_PROJECT - 1;
  bool is_submission = strcmp(path, "/submission") == 0;
  if (is_submission && strcmp(method, "HEAD") == 0) {
    r.status = 204;
    r.openrosa = true;
    return answer(s, c, &r);
  }
  if (is_submission && strcmp(method, "POST") == 0) return post(s, c, q);
  if (strcmp(method, "GET") == 0) return get(s, c, path);
  r.status = 405;
  return answer(s, c, &r);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *c, const char *path, const char *method,
                                  const char *version, const char *bytes, size_t *size, void **state) {
  rosa_server *s = context;
  request *q = *state;
  (void)version;
  if (!q) {
    *state = q = calloc(1, sizeof *q);
    if (q && strcmp(method, "POST") == 0) q->post = MHD_create_post_processor(c, 64 << 10, on_part, q);
    return q ? MHD_YES : MHD_NO;
  }
  if (*size) {
    q->size += *size;
    if (q->post) MHD_post_process(q->post, bytes, *size);
    *size = 0;
    return MHD_YES;
  }
  if (q->post) MHD_destroy_post_processor(q->post); /* the last part's end is told here */
  q->post = NULL;
  pthread_mutex_lock(&s->lock);
  enum MHD_Result result = serve(s, c, path, method, q);
  pthread_mutex_unlock(&s->lock);
  return result;
}

/* --- beginning and ending --- */
static bool listen_again(rosa_server *s) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  here.sin_port = 0;
  s->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR,
                               &here, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_NONCE_NC_SIZE, 64,
                               MHD_OPTION_DIGEST_AUTH_RANDOM, (size_t)8, "12345678", MHD_OPTION_END);
  const union MHD_DaemonInfo *info = s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
  s->port = info ? info->port : 0;
  return s->port != 0;
}

rosa_server *rosa_server_start(void) {
  rosa_server *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  pthread_mutex_init(&s->lock, NULL);
  s->accept_length = 100000000;
  if (listen_again(s)) return s;
  free(s);
  return NULL;
}

void rosa_server_restart(rosa_server *s) {
  MHD_stop_daemon(s->daemon);
  if (!listen_again(s)) abort();
}

void rosa_server_end(rosa_server *s) {
  MHD_stop_daemon(s->daemon);
  for (size_t i = 0; i < s->form_count; i++) {
    cq_buf_fini(&s->forms[i].xml);
    for (size_t m = 0; m < s->forms[i].media_count; m++) cq_buf_fini(&s->forms[i].media[m].bytes);
  }
  for (size_t i = 0; i < s->held_count; i++) {
    cq_buf_fini(&s->held[i].xml);
    for (size_t f = 0; f < s->held[i].file_count; f++) cq_buf_fini(&s->held[i].files[f].bytes);
    free(s->held[i].files);
  }
  free(s->held);
  cq_buf_fini(&s->last);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

uint16_t rosa_server_port(const rosa_server *s) {
  return s->port;
}

void rosa_server_url(const rosa_server *s, char out[80]) {
  snprintf(out, 80, "http://127.0.0.1:%u" ROSA_PROJECT, (unsigned)s->port);
}

/* --- what a test says --- */
void rosa_server_guard(rosa_server *s, rosa_guard how) {
  pthread_mutex_lock(&s->lock);
  s->guard = how;
  pthread_mutex_unlock(&s->lock);
}

void rosa_server_accept_length(rosa_server *s, uint64_t bytes) {
  pthread_mutex_lock(&s->lock);
  s->accept_length = bytes;
  pthread_mutex_unlock(&s->lock);
}

void rosa_server_form(rosa_server *s, const char *id, const char *version, cq_str xml) {
  pthread_mutex_lock(&s->lock);
  form *f = find_form(s, id, strlen(id));
  if (!f) f = &s->forms[s->form_count++];
  snprintf(f->id, sizeof f->id, "%s", id);
  snprintf(f->version, sizeof f->version, "%s", version);
  cq_buf_reset(&f->xml);
  cq_buf_add_str(&f->xml, xml);
  pthread_mutex_unlock(&s->lock);
}

void rosa_server_media(rosa_server *s, const char *id, const char *name, cq_str bytes, bool list) {
  pthread_mutex_lock(&s->lock);
  form *f = find_form(s, id, strlen(id));
  media *m = NULL;
  for (size_t i = 0; i < f->media_count; i++)
    if (strcmp(f->media[i].name, name) == 0) m = &f->media[i];
  if (!m) m = &f->media[f->media_count++];
  snprintf(m->name, sizeof m->name, "%s", name);
  m->list = list;
  cq_buf_reset(&m->bytes);
  cq_buf_add_str(&m->bytes, bytes);
  pthread_mutex_unlock(&s->lock);
}

void rosa_server_close_form(rosa_server *s, const char *id, bool closed) {
  pthread_mutex_lock(&s->lock);
  find_form(s, id, strlen(id))->closed = closed;
  pthread_mutex_unlock(&s->lock);
}

void rosa_server_form_hash(rosa_server *s, const char *id, const char *hash) {
  pthread_mutex_lock(&s->lock);
  form *f = find_form(s, id, strlen(id));
  snprintf(f->hash, sizeof f->hash, "%s", hash ? hash : "");
  pthread_mutex_unlock(&s->lock);
}

void rosa_server_form_list(rosa_server *s, const char *body) {
  pthread_mutex_lock(&s->lock);
  s->form_list = body;
  pthread_mutex_unlock(&s->lock);
}

void rosa_server_play(rosa_server *s, const rosa_play *play) {
  pthread_mutex_lock(&s->lock);
  s->play = *play;
  pthread_mutex_unlock(&s->lock);
}

void rosa_server_play_head(rosa_server *s, const rosa_play *play) {
  pthread_mutex_lock(&s->lock);
  s->play_head = *play;
  pthread_mutex_unlock(&s->lock);
}

rosa_counts rosa_server_counts(rosa_server *s) {
  pthread_mutex_lock(&s->lock);
  rosa_counts counts = s->counts;
  counts.submissions = s->held_count;
  pthread_mutex_unlock(&s->lock);
  return counts;
}

bool rosa_server_holds(rosa_server *s, const char *instance, cq_str xml) {
  pthread_mutex_lock(&s->lock);
  const submission *held = find_held(s, instance);
  bool same = held && cq_str_equal(cq_buf_str(&held->xml), xml);
  pthread_mutex_unlock(&s->lock);
  return same;
}

bool rosa_server_holds_file(rosa_server *s, const char *instance, const char *name, cq_str bytes) {
  bool same = false;
  pthread_mutex_lock(&s->lock);
  const submission *held = find_held(s, instance);
  for (size_t i = 0; held && i < held->file_count; i++)
    if (strcmp(held->files[i].name, name) == 0) same = cq_str_equal(cq_buf_str(&held->files[i].bytes), bytes);
  pthread_mutex_unlock(&s->lock);
  return same;
}

void rosa_server_last(rosa_server *s, cq_buf *out) {
  pthread_mutex_lock(&s->lock);
  cq_buf_reset(out);
  cq_buf_add_str(out, cq_buf_str(&s->last));
  pthread_mutex_unlock(&s->lock);
}
