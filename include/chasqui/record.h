/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record: what one finished interview becomes, for ever (docs/formats/record.md).
 *
 * Envelope, instance XML, audit trail and the names of its attachments, as one
 * canonical run of bytes. Its name is the BLAKE2b-256 of those bytes, among
 * them 32 random ones, so that a name betrays nothing of what it names. The
 * envelope alone is enough to draw the grid of seasons.
 */
#ifndef CHASQUI_RECORD_H
#define CHASQUI_RECORD_H

#include "chasqui/arena.h"
#include "chasqui/keys.h"

typedef enum {
  CQ_RESULT_COMPLETE = 1,
  CQ_RESULT_PARTIAL = 2,
  CQ_RESULT_REFUSED = 3,
  CQ_RESULT_WITHDRAWN = 4,
  CQ_RESULT_DRAFT = 5 /* a snapshot against theft; never merged as a record */
} cq_result;
const char *cq_result_name(cq_result result); /* "complete", …; NULL for another value */

typedef enum {
  CQ_CONSENT_NONE = 0, /* the form does not ask */
  CQ_CONSENT_GIVEN = 1,
  CQ_CONSENT_REFUSED = 2,
  CQ_CONSENT_WITHDRAWN = 3
} cq_consent_state;

enum {
  CQ_RECORD_MAX_SIZE = 32 << 20,     /* of a record's bytes */
  CQ_RECORD_MAX_INSTANCE = 16 << 20, /* of its instance XML */
  CQ_RECORD_MAX_AUDIT = 8 << 20,
  CQ_RECORD_MAX_TEXT = 255, /* of each text of the envelope */
  CQ_RECORD_MAX_PARENTS = 16,
  CQ_RECORD_MAX_SUBJECTS = 256,
  CQ_RECORD_MAX_MONTHS = 60,
  CQ_RECORD_MAX_ATTACHMENTS = 256
};

typedef struct cq_consent {
  cq_consent_state state;
  cq_str how;        /* as the form codes it: "oral", "firma", … */
  cq_str language;   /* of the text that was read, "es", "quz" */
  cq_hash text_hash; /* of that text; zero: unknown */
  cq_str folio;      /* of the paper, where it was on paper */
} cq_consent;

/* A subject's part in the record. */
typedef struct cq_subject {
  cq_str dataset; /* entity list, "tdd" */
  cq_str id;      /* entity id, "uuid:…" */
} cq_subject;

/* Texts are UTF-8 without control characters, "" where there is none. */
typedef struct cq_envelope {
  cq_programme_id programme;
  cq_mode mode;
  cq_str form_id, form_version;
  cq_hash form_hash;      /* of the XForm's bytes, as in the bundle */
  cq_str instance_id;     /* "uuid:…", never empty */
  const cq_hash *parents; /* names of the records this one edits (more than one: it settles a fork) */
  size_t parent_count;
  const cq_subject *subjects;
  size_t subject_count;
  cq_str zone;               /* of the calendar, "altiplano" */
  cq_str season;             /* code, "2012-T1"; "" where the visit belongs to none */
  uint32_t calendar_version; /* the calendar under which the season was chosen */
  const int32_t *months;     /* reference months, year × 12 + month − 1 (2012-08: 24151), ascending */
  size_t month_count;
  cq_result result;
  cq_str reason;     /* code of why it is not complete, "ausente"; "" where none */
  cq_str technician; /* code, never a name */
  cq_device_id device;
  int64_t begun_utc_ms;    /* the device's clock when the interview began */
  int64_t finished_utc_ms; /* … and when it was finalised */
  cq_date working_date;    /* what the technician took the day to be */
  int32_t zone_minutes;    /* the device's offset from UTC, east positive; −1080 to 1080 */
  uint64_t sequence;       /* of the device, strictly growing, whatever its clock says */
  bool offset_known;       /* device clock minus true time, measured by a hello */
  int64_t offset_ms;
  cq_consent consent;
} cq_envelope;

typedef struct cq_attachment {
  cq_str name; /* as in the instance XML; no slash, no control character, not "." or ".." */
  cq_hash hash;
  uint64_t size; /* bytes, at most 1 GiB */
} cq_attachment;

typedef struct cq_record {
  cq_envelope envelope;
  cq_str instance_xml;              /* UTF-8, never empty */
  cq_str audit;                     /* audit.csv or empty; packed apart, so that its size can be told apart */
  const cq_attachment *attachments; /* ascending by name */
  size_t attachment_count;
  uint8_t salt[32]; /* of a record read; cq_record_build draws its own */
} cq_record;

/*
 * Appends the record's bytes to `out` and computes its name. The 32 random
 * bytes come from `random`. Errors: record.field.long, record.field.text,
 * record.field.value, record.field.many (argument: the field), record.large.
 */
cq_status cq_record_build(cq_buf *out, cq_hash *name, const cq_record *record, const cq_random *random,
                          cq_error *error);

/*
 * Reads a record. Texts and lists borrow `bytes` and `arena`; both must outlive
 * `record`. Only canonical bytes are accepted: what parses, builds to the same
 * bytes again. Errors: record.damaged (with the offset), record.future, record.large.
 */
cq_status cq_record_parse(cq_record *record, cq_str bytes, cq_arena *arena, cq_error *error);
cq_hash cq_record_name(cq_str bytes);

/*
 * How a desk keeps a record's bytes: as one zstd frame where that is smaller, else as they are. The first bytes show
 * which of the two. Nothing that travels has this form. A press is not for two threads at once.
 */
typedef struct cq_record_press cq_record_press;
cq_record_press *cq_record_press_new(void); /* NULL where memory is out */
void cq_record_press_free(cq_record_press *press);
/* Appends what is kept of `bytes`. Errors: record.large. */
cq_status cq_record_press_in(cq_record_press *press, cq_buf *out, cq_str bytes, cq_error *error);
/* The record's bytes again, borrowed until the next call, or from `kept`. Errors: record.damaged. */
cq_status cq_record_press_out(cq_record_press *press, cq_str *bytes, cq_str kept, cq_error *error);

#endif
