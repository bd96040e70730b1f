/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/certificate.h"
#include "batch/layout.h"

#include <string.h>

enum { VERSION = 1, SIGNED = CQ_CERTIFICATE_SIZE - 64, ISSUER = 8 };
static const char purpose[] = "chasqui certificate 1";
static const char chain_magic[4] = {'C', 'H', 'Q', 'C'};

const char *cq_role_name(cq_role role) {
  static const char *const names[] = {NULL, "programme", "coordinator", "device", "post", "desk"};
  return role >= CQ_ROLE_PROGRAMME && role <= CQ_ROLE_DESK ? names[role] : NULL;
}

cq_status cq_certificate_issue(uint8_t out[CQ_CERTIFICATE_SIZE], const cq_certificate *certificate,
                               const cq_secret *issuer_secret, cq_error *error) {
  cq_sign_key issuer;
  cq_status status = cq_sign_public(&issuer, issuer_secret, error);
  if (status != CQ_OK) return status;
  cq_device_id issuer_id = cq_device_id_of(&issuer);
  cq_buf bytes = {0};
  cq_buf_add(&bytes, (uint8_t[]){VERSION, (uint8_t)certificate->mode, (uint8_t)certificate->role, 0}, 4);
  cq_buf_add(&bytes, certificate->programme.at, sizeof certificate->programme.at);
  cq_buf_add(&bytes, certificate->sign.at, sizeof certificate->sign.at);
  cq_buf_add(&bytes, certificate->seal.at, sizeof certificate->seal.at);
  cq_put_i64(&bytes, certificate->issued_utc_ms);
  cq_buf_add(&bytes, issuer_id.at, ISSUER);
  cq_signature signature;
  if (bytes.failed)
    status = cq_error_nomem(error);
  else
    status = cq_sign(&signature, purpose, bytes.at, bytes.size, issuer_secret, error);
  if (status == CQ_OK) {
    memcpy(out, bytes.at, SIGNED);
    memcpy(out + SIGNED, signature.at, sizeof signature.at);
  }
  cq_buf_fini(&bytes);
  return status;
}

cq_status cq_certificate_read(cq_certificate *certificate, const void *bytes, size_t size, cq_error *error) {
  cq_layout layout = cq_layout_of(bytes, size);
  uint8_t version = cq_layout_u8(&layout), mode = cq_layout_u8(&layout), role = cq_layout_u8(&layout);
  uint8_t zero = cq_layout_u8(&layout);
  if (version > VERSION) return cq_error_set(error, CQ_FUTURE, "certificate.future", NULL);
  certificate->mode = (cq_mode)mode;
  certificate->role = (cq_role)role;
  cq_layout_copy(&layout, certificate->programme.at, sizeof certificate->programme.at);
  cq_layout_copy(&layout, certificate->sign.at, sizeof certificate->sign.at);
  cq_layout_copy(&layout, certificate->seal.at, sizeof certificate->seal.at);
  certificate->issued_utc_ms = cq_layout_i64(&layout);
  cq_layout_copy(&layout, certificate->issuer, ISSUER);
  if (size != CQ_CERTIFICATE_SIZE || layout.failed || version != VERSION || zero != 0 ||
      !cq_mode_name(certificate->mode) || !cq_role_name(certificate->role))
    return cq_error_set(error, CQ_DAMAGED, "certificate.damaged", NULL);
  return CQ_OK;
}

cq_chain cq_chain_of(const uint8_t *coordinator, const uint8_t *last) {
  cq_chain chain = {0};
  if (coordinator) memcpy(chain.link[chain.count++], coordinator, CQ_CERTIFICATE_SIZE);
  memcpy(chain.link[chain.count++], last, CQ_CERTIFICATE_SIZE);
  return chain;
}

const cq_revocation *cq_trust_revocation(const cq_trust *trust, const cq_device_id *key) {
  for (size_t i = 0; i < trust->revocation_count; i++)
    if (cq_device_id_equal(&trust->revocations[i].key, key)) return &trust->revocations[i];
  return NULL;
}

static bool issued_by(const uint8_t *link, const cq_certificate *certificate, const cq_sign_key *key) {
  cq_device_id id = cq_device_id_of(key);
  cq_signature signature;
  memcpy(signature.at, link + SIGNED, sizeof signature.at);
  return memcmp(id.at, certificate->issuer, ISSUER) == 0 && cq_signature_right(&signature, purpose, link, SIGNED, key);
}

/* One link: its fields, its issuer among `keys`, and whether its key was revoked. */
static cq_status check_link(cq_certificate *certificate, const uint8_t *link, cq_role role, const cq_sign_key *keys,
                            size_t key_count, const cq_trust *trust, cq_error *error) {
  cq_status status = cq_certificate_read(certificate, link, CQ_CERTIFICATE_SIZE, error);
  if (status != CQ_OK) return status;
  if (!cq_programme_id_equal(&certificate->programme, &trust->programme))
    return cq_error_set(error, CQ_REFUSED, "certificate.programme", NULL);
  if (certificate->mode != trust->mode) return cq_error_set(error, CQ_REFUSED, "certificate.mode", NULL);
  if (certificate->role != role)
    return cq_error_set(error, CQ_REFUSED, "certificate.role", cq_role_name(certificate->role), cq_role_name(role),
                        NULL);
  bool known = false, right = false;
  for (size_t i = 0; i < key_count && !right; i++) {
    cq_device_id id = cq_device_id_of(&keys[i]);
    if (memcmp(id.at, certificate->issuer, ISSUER) != 0) continue;
    known = true;
    right = issued_by(link, certificate, &keys[i]);
  }
  if (!known) return cq_error_set(error, CQ_REFUSED, "certificate.issuer", NULL);
  if (!right) return cq_error_set(error, CQ_REFUSED, "certificate.signature", NULL);
  cq_device_id id = cq_device_id_of(&certificate->sign);
  /* a device's revocation counts from a batch number on, which only the batch can tell */
  if (role != CQ_ROLE_DEVICE && cq_trust_revocation(trust, &id))
    return cq_error_set(error, CQ_REFUSED, "certificate.revoked", cq_role_name(role), NULL);
  return CQ_OK;
}

cq_status cq_chain_check(cq_certificate *last, const cq_chain *chain, cq_role role, const cq_trust *trust,
                         cq_error *error) {
  if (chain->count < 1 || chain->count > CQ_CHAIN_LINKS)
    return cq_error_set(error, CQ_DAMAGED, "certificate.damaged", NULL);
  const cq_sign_key *keys = trust->keys;
  size_t key_count = trust->key_count;
  cq_certificate coordinator;
  if (chain->count == 2) {
    cq_status status = check_link(&coordinator, chain->link[0], CQ_ROLE_COORDINATOR, keys, key_count, trust, error);
    if (status != CQ_OK) return status;
    /* a coordinator certifies devices; posts and desks are the programme's own */
    if (role != CQ_ROLE_DEVICE)
      return cq_error_set(error, CQ_REFUSED, "certificate.role", "coordinator", cq_role_name(role), NULL);
    keys = &coordinator.sign;
    key_count = 1;
  }
  return check_link(last, chain->link[chain->count - 1], role, keys, key_count, trust, error);
}

void cq_chain_write(cq_buf *out, const cq_chain *chain) {
  cq_buf_add(out, chain_magic, sizeof chain_magic);
  cq_buf_add_char(out, VERSION);
  cq_buf_add_char(out, (char)chain->count);
  for (size_t i = 0; i < chain->count; i++) cq_buf_add(out, chain->link[i], CQ_CERTIFICATE_SIZE);
}

cq_status cq_chain_read(cq_chain *chain, const void *bytes, size_t size, cq_error *error) {
  cq_layout layout = cq_layout_of(bytes, size);
  const uint8_t *magic = cq_layout_take(&layout, sizeof chain_magic);
  uint8_t version = cq_layout_u8(&layout);
  *chain = (cq_chain){.count = cq_layout_u8(&layout)};
  if (magic && memcmp(magic, chain_magic, sizeof chain_magic) == 0 && version > VERSION)
    return cq_error_set(error, CQ_FUTURE, "certificate.future", NULL);
  bool right = magic && !layout.failed && memcmp(magic, chain_magic, sizeof chain_magic) == 0 && version == VERSION &&
               chain->count >= 1 && chain->count <= CQ_CHAIN_LINKS;
  for (size_t i = 0; right && i < chain->count; i++) cq_layout_copy(&layout, chain->link[i], CQ_CERTIFICATE_SIZE);
  if (!right || layout.failed || cq_layout_left(&layout) > 0) {
    chain->count = 0;
    return cq_error_set(error, CQ_DAMAGED, "certificate.damaged", NULL);
  }
  return CQ_OK;
}
