/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xlsform/words.h"

#include <string.h>

#define INPUT(name, canon, bind)                                                                                       \
  { name, canon, CQ_KIND_PLAIN, "input", bind, NULL, NULL, NULL, NULL, NULL, false }
#define UPLOAD(name, canon, kind, media)                                                                               \
  { name, canon, kind, "upload", "binary", media, NULL, NULL, NULL, NULL, false }
#define META(name, canon, bind, preload, params)                                                                       \
  { name, canon, CQ_KIND_PLAIN, NULL, bind, NULL, preload, params, NULL, NULL, false }
#define PROPERTY(name, canon) META(name, canon, "string", "property", canon)
#define OF(name, canon, kind, tag, bind)                                                                               \
  { name, canon, kind, tag, bind, NULL, NULL, NULL, NULL, NULL, false }
#define NOTE(name)                                                                                                     \
  { name, "note", CQ_KIND_NOTE, "input", "string", NULL, NULL, NULL, NULL, NULL, true }
#define DAYS(name, most)                                                                                               \
  {                                                                                                                    \
    name, name, CQ_KIND_PLAIN, "input", "int", NULL, NULL, NULL, "0 <= . and . <= " most,                              \
        "Enter a number 0-" most ".", false                                                                            \
  }

static const cq_word_type types[] = {
    OF("text", "text", CQ_KIND_TEXT, "input", "string"),
    INPUT("string", "text", "string"),
    INPUT("q string", "text", "string"),
    INPUT("add text prompt", "text", "string"),
    INPUT("integer", "integer", "int"),
    INPUT("int", "integer", "int"),
    INPUT("q int", "integer", "int"),
    INPUT("add integer prompt", "integer", "int"),
    INPUT("decimal", "decimal", "decimal"),
    INPUT("q decimal", "decimal", "decimal"),
    INPUT("add decimal prompt", "decimal", "decimal"),
    NOTE("note"),
    NOTE("q note"),
    NOTE("add note prompt"),
    INPUT("date", "date", "date"),
    INPUT("q date", "date", "date"),
    INPUT("add date prompt", "date", "date"),
    INPUT("time", "time", "time"),
    INPUT("datetime", "dateTime", "dateTime"),
    INPUT("dateTime", "dateTime", "dateTime"),
    INPUT("date time", "dateTime", "dateTime"),
    INPUT("q date time", "dateTime", "dateTime"),
    INPUT("q dateTime", "dateTime", "dateTime"),
    INPUT("add date time prompt", "dateTime", "dateTime"),
    INPUT("add dateTime prompt", "dateTime", "dateTime"),
    OF("geopoint", "geopoint", CQ_KIND_GEOPOINT, "input", "geopoint"),
    INPUT("q geopoint", "geopoint", "geopoint"),
    INPUT("q location", "geopoint", "geopoint"),
    INPUT("location", "geopoint", "geopoint"),
    INPUT("gps", "geopoint", "geopoint"),
    INPUT("add location prompt", "geopoint", "geopoint"),
    OF("geoshape", "geoshape", CQ_KIND_GEOSHAPE, "input", "geoshape"),
    INPUT("q geoshape", "geoshape", "geoshape"),
    OF("geotrace", "geotrace", CQ_KIND_GEOSHAPE, "input", "geotrace"),
    INPUT("q geotrace", "geotrace", "geotrace"),
    INPUT("barcode", "barcode", "barcode"),
    INPUT("q barcode", "barcode", "barcode"),
    INPUT("add barcode prompt", "barcode", "barcode"),
    UPLOAD("photo", "image", CQ_KIND_PHOTO, "image/*"),
    UPLOAD("image", "image", CQ_KIND_PHOTO, "image/*"),
    UPLOAD("add image prompt", "image", CQ_KIND_PHOTO, "image/*"),
    UPLOAD("add photo prompt", "image", CQ_KIND_PHOTO, "image/*"),
    UPLOAD("q picture", "image", CQ_KIND_PLAIN, "image/*"),
    UPLOAD("q image", "image", CQ_KIND_PLAIN, "image/*"),
    UPLOAD("audio", "audio", CQ_KIND_AUDIO, "audio/*"),
    UPLOAD("add audio prompt", "audio", CQ_KIND_AUDIO, "audio/*"),
    UPLOAD("q audio", "audio", CQ_KIND_PLAIN, "audio/*"),
    UPLOAD("video", "video", CQ_KIND_PLAIN, "video/*"),
    UPLOAD("add video prompt", "video", CQ_KIND_PLAIN, "video/*"),
    UPLOAD("q video", "video", CQ_KIND_PLAIN, "video/*"),
    UPLOAD("file", "file", CQ_KIND_PLAIN, "application/*"),
    UPLOAD("add file prompt", "file", CQ_KIND_PLAIN, "application/*"),
    UPLOAD("osm", "osm", CQ_KIND_OSM, "osm/*"),
    OF("select one", "select_one", CQ_KIND_SELECT, "select1", "string"),
    OF("select all that apply", "select_multiple", CQ_KIND_SELECT, "select", "string"),
    OF("select one external", "select_one_external", CQ_KIND_SELECT_EXTERNAL, "input", "string"),
    OF("rank", "rank", CQ_KIND_RANK, "odk:rank", "odk:rank"),
    OF("range", "range", CQ_KIND_RANGE, "range", "int"),
    OF("trigger", "acknowledge", CQ_KIND_PLAIN, "trigger", NULL),
    OF("acknowledge", "acknowledge", CQ_KIND_PLAIN, "trigger", "string"),
    OF("q acknowledge", "acknowledge", CQ_KIND_PLAIN, "trigger", "string"),
    OF("add acknowledge prompt", "acknowledge", CQ_KIND_PLAIN, "trigger", "string"),
    {"percentage", "percentage", CQ_KIND_PLAIN, "input", "int", NULL, NULL, NULL, "0 <= . and . <= 100", NULL, false},
    {"phone number", "phone number", CQ_KIND_PLAIN, "input", "string", NULL, NULL, NULL, "regex(., '^\\d*$')",
     "Enter numbers only.", false},
    DAYS("number of days in last month", "31"),
    DAYS("number of days in last six months", "183"),
    DAYS("number of days in last year", "365"),
    OF("calculate", "calculate", CQ_KIND_CALCULATE, NULL, "string"),
    OF("q calculate", "calculate", CQ_KIND_PLAIN, NULL, "string"),
    OF("add calculate prompt", "calculate", CQ_KIND_PLAIN, NULL, "string"),
    OF("hidden", "hidden", CQ_KIND_PLAIN, NULL, "string"),
    META("start", "start", "dateTime", "timestamp", "start"),
    META("start time", "start", "dateTime", "timestamp", "start"),
    META("get start time", "start", "dateTime", "timestamp", "start"),
    META("end", "end", "dateTime", "timestamp", "end"),
    META("end time", "end", "dateTime", "timestamp", "end"),
    META("get end time", "end", "dateTime", "timestamp", "end"),
    META("today", "today", "date", "date", "today"),
    META("get today", "today", "date", "date", "today"),
    PROPERTY("deviceid", "deviceid"),
    PROPERTY("imei", "deviceid"),
    PROPERTY("device id", "deviceid"),
    PROPERTY("get device id", "deviceid"),
    PROPERTY("username", "username"),
    PROPERTY("email", "email"),
    PROPERTY("phonenumber", "phonenumber"),
    PROPERTY("get phone number", "phonenumber"),
    PROPERTY("simserial", "simserial"),
    PROPERTY("sim id", "simserial"),
    PROPERTY("get sim id", "simserial"),
    PROPERTY("subscriberid", "subscriberid"),
    PROPERTY("subscriber id", "subscriberid"),
    PROPERTY("get subscriber id", "subscriberid"),
    PROPERTY("uri:deviceid", "uri:deviceid"),
    PROPERTY("uri:username", "uri:username"),
    PROPERTY("uri:email", "uri:email"),
    PROPERTY("uri:phonenumber", "uri:phonenumber"),
    PROPERTY("uri:simserial", "uri:simserial"),
    PROPERTY("uri:subscriberid", "uri:subscriberid"),
    OF("audit", "audit", CQ_KIND_AUDIT, NULL, "binary"),
    OF("csv-external", "csv-external", CQ_KIND_EXTERNAL, NULL, NULL),
    OF("xml-external", "xml-external", CQ_KIND_EXTERNAL, NULL, NULL),
    OF("start-geopoint", "start-geopoint", CQ_KIND_START_GEOPOINT, NULL, "geopoint"),
    OF("background-geopoint", "background-geopoint", CQ_KIND_BACKGROUND_GEOPOINT, NULL, "geopoint"),
    OF("background-audio", "background-audio", CQ_KIND_BACKGROUND_AUDIO, NULL, "binary"),
};

static const cq_select_word select_words[] = {
    {"select_one", "select one", false},
    {"select one", "select one", false},
    {"select1", "select one", false},
    {"select one from", "select one", false},
    {"add select one prompt using", "select one", false},
    {"select_multiple", "select all that apply", false},
    {"select multiple", "select all that apply", false},
    {"select all that apply", "select all that apply", false},
    {"select all that apply from", "select all that apply", false},
    {"add select multiple prompt using", "select all that apply", false},
    {"select_one_from_file", "select one", true},
    {"select one from file", "select one", true},
    {"select_multiple_from_file", "select all that apply", true},
    {"select multiple from file", "select all that apply", true},
    {"select_one_external", "select one external", false},
    {"rank", "rank", false},
};

static const cq_column_word survey_columns[] = {
    {"type", CQ_COLUMN_TYPE, NULL, "type"},
    {"command", CQ_COLUMN_TYPE, NULL, "type"},
    {"name", CQ_COLUMN_NAME, NULL, "name"},
    {"tag", CQ_COLUMN_NAME, NULL, "name"},
    {"value", CQ_COLUMN_NAME, NULL, "name"},
    {"label", CQ_COLUMN_LABEL, NULL, "label"},
    {"caption", CQ_COLUMN_LABEL, NULL, "label"},
    {"hint", CQ_COLUMN_HINT, NULL, "hint"},
    {"guidance_hint", CQ_COLUMN_GUIDANCE, NULL, "guidance_hint"},
    {"media", CQ_COLUMN_MEDIA, NULL, "media::image"},
    {"image", CQ_COLUMN_MEDIA, "image", "image"},
    {"big-image", CQ_COLUMN_MEDIA, "big-image", "big-image"},
    {"audio", CQ_COLUMN_MEDIA, "audio", "audio"},
    {"video", CQ_COLUMN_MEDIA, "video", "video"},
    {"bind", CQ_COLUMN_BIND, NULL, "bind::ATTRIBUTE"},
    {"required", CQ_COLUMN_BIND, "required", "required"},
    {"required_message", CQ_COLUMN_BIND, "jr:requiredMsg", "required_message"},
    {"requiredmsg", CQ_COLUMN_BIND, "jr:requiredMsg", "required_message"},
    {"relevant", CQ_COLUMN_BIND, "relevant", "relevant"},
    {"relevance", CQ_COLUMN_BIND, "relevant", "relevant"},
    {"constraint", CQ_COLUMN_BIND, "constraint", "constraint"},
    {"constraint_message", CQ_COLUMN_BIND, "jr:constraintMsg", "constraint_message"},
    {"constraining_message", CQ_COLUMN_BIND, "jr:constraintMsg", "constraint_message"},
    {"calculation", CQ_COLUMN_BIND, "calculate", "calculation"},
    {"calculate", CQ_COLUMN_BIND, "calculate", "calculation"},
    {"readonly", CQ_COLUMN_BIND, "readonly", "readonly"},
    {"read_only", CQ_COLUMN_BIND, "readonly", "readonly"},
    {"no_app_error_string", CQ_COLUMN_BIND, "jr:noAppErrorString", "no_app_error_string"},
    {"noapperrorstring", CQ_COLUMN_BIND, "jr:noAppErrorString", "no_app_error_string"},
    {"save_to", CQ_COLUMN_BIND, "entities:saveto", "save_to"},
    {"control", CQ_COLUMN_CONTROL, NULL, "body::ATTRIBUTE"},
    {"body", CQ_COLUMN_CONTROL, NULL, "body::ATTRIBUTE"},
    {"appearance", CQ_COLUMN_CONTROL, "appearance", "appearance"},
    {"repeat_count", CQ_COLUMN_CONTROL, "jr:count", "repeat_count"},
    {"count", CQ_COLUMN_CONTROL, "jr:count", "repeat_count"},
    {"jr:count", CQ_COLUMN_CONTROL, "jr:count", "repeat_count"},
    {"autoplay", CQ_COLUMN_CONTROL, "autoplay", "autoplay"},
    {"rows", CQ_COLUMN_CONTROL, "rows", "rows"},
    {"instance", CQ_COLUMN_INSTANCE, NULL, "instance::ATTRIBUTE"},
    {"compact_tag", CQ_COLUMN_INSTANCE, "odk:tag", "compact_tag"},
    {"default", CQ_COLUMN_DEFAULT, NULL, "default"},
    {"trigger", CQ_COLUMN_TRIGGER, NULL, "trigger"},
    {"choice_filter", CQ_COLUMN_CHOICE_FILTER, NULL, "choice_filter"},
    {"parameters", CQ_COLUMN_PARAMETERS, NULL, "parameters"},
    {"intent", CQ_COLUMN_INTENT, NULL, "intent"},
    {"disabled", CQ_COLUMN_DISABLED, NULL, "disabled"},
    {"missing", CQ_COLUMN_MISSING, NULL, "missing"},
    {"privacy", CQ_COLUMN_PRIVACY, NULL, "privacy"},
    {"list_name", CQ_COLUMN_IGNORED, NULL, "list_name"},
    {"sms_field", CQ_COLUMN_IGNORED, NULL, "sms_field"},
    {"sms_option", CQ_COLUMN_IGNORED, NULL, "sms_option"},
};

static const cq_column_word choice_columns[] = {
    {"list_name", CQ_COLUMN_LIST, NULL, "list_name"}, {"name", CQ_COLUMN_NAME, NULL, "name"},
    {"value", CQ_COLUMN_NAME, NULL, "name"},          {"label", CQ_COLUMN_LABEL, NULL, "label"},
    {"caption", CQ_COLUMN_LABEL, NULL, "label"},      {"media", CQ_COLUMN_MEDIA, NULL, "media::image"},
    {"image", CQ_COLUMN_MEDIA, "image", "image"},     {"big-image", CQ_COLUMN_MEDIA, "big-image", "big-image"},
    {"audio", CQ_COLUMN_MEDIA, "audio", "audio"},     {"video", CQ_COLUMN_MEDIA, "video", "video"},
};

static const char *const settings_columns[][2] = {
    {"form_title", "form_title"},
    {"title", "form_title"},
    {"set_form_title", "form_title"},
    {"form_id", "form_id"},
    {"id_string", "form_id"},
    {"set_form_id", "form_id"},
    {"version", "version"},
    {"name", "name"},
    {"instance_name", "instance_name"},
    {"instance_id", "instance_id"},
    {"default_language", "default_language"},
    {"public_key", "public_key"},
    {"submission_url", "submission_url"},
    {"auto_send", "auto_send"},
    {"auto_delete", "auto_delete"},
    {"allow_choice_duplicates", "allow_choice_duplicates"},
    {"clean_text_values", "clean_text_values"},
    {"omit_instanceid", "omit_instanceID"},
    {"namespaces", "namespaces"},
    {"style", "style"},
    {"flat", "flat"},
    {"client_editable", "client_editable"},
    {"instance_xmlns", "instance_xmlns"},
    {"prefix", "prefix"},
    {"delimiter", "delimiter"},
    {"attribute", "attribute::NAME"},
    {"sms_keyword", "sms_keyword"},
    {"sms_separator", "sms_separator"},
    {"sms_allow_media", "sms_allow_media"},
    {"sms_date_format", "sms_date_format"},
    {"sms_datetime_format", "sms_datetime_format"},
    {"sms_response", "sms_response"},
};

static const char *const entities_columns[][2] = {
    {"list_name", "list_name"}, {"dataset", "list_name"},   {"entity_id", "entity_id"},
    {"create_if", "create_if"}, {"update_if", "update_if"}, {"label", "label"},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

const cq_word_type *cq_type_at(size_t index) {
  return index < COUNT(types) ? &types[index] : NULL;
}

const cq_word_type *cq_type_of(cq_str name) {
  for (size_t i = 0; i < COUNT(types); i++) {
    if (cq_str_is(name, types[i].name)) return &types[i];
  }
  return NULL;
}

const cq_select_word *cq_select_word_at(size_t index) {
  return index < COUNT(select_words) ? &select_words[index] : NULL;
}

cq_block cq_block_of(cq_str word) {
  if (cq_str_is(word, "group")) return CQ_BLOCK_GROUP;
  if (cq_str_is(word, "repeat") || cq_str_is(word, "lgroup") || cq_str_is(word, "looped group")) {
    return CQ_BLOCK_REPEAT;
  }
  return cq_str_is(word, "loop") ? CQ_BLOCK_LOOP : CQ_BLOCK_NONE;
}

static const cq_column_word *column_of(const cq_column_word *words, size_t count, cq_str name) {
  for (size_t i = 0; i < count; i++) {
    if (cq_str_is(name, words[i].name)) return &words[i];
  }
  return NULL;
}

const cq_column_word *cq_survey_column_of(cq_str name) {
  return column_of(survey_columns, COUNT(survey_columns), name);
}

const cq_column_word *cq_choice_column_of(cq_str name) {
  return column_of(choice_columns, COUNT(choice_columns), name);
}

const cq_column_word *cq_survey_column_at(size_t index) {
  return index < COUNT(survey_columns) ? &survey_columns[index] : NULL;
}

const char *cq_settings_column_of(cq_str name) {
  for (size_t i = 0; i < COUNT(settings_columns); i++) {
    if (cq_str_is(name, settings_columns[i][0])) return settings_columns[i][1];
  }
  return NULL;
}

const char *cq_settings_column_at(size_t index) {
  return index < COUNT(settings_columns) ? settings_columns[index][1] : NULL;
}

const char *cq_entities_column_of(cq_str name) {
  for (size_t i = 0; i < COUNT(entities_columns); i++) {
    if (cq_str_is(name, entities_columns[i][0])) return entities_columns[i][1];
  }
  return NULL;
}

const char *cq_entities_column_at(size_t index) {
  return index < COUNT(entities_columns) ? entities_columns[index][1] : NULL;
}

const char *const *cq_parameters_of(cq_kind kind, bool from_file) {
  static const char *const none[] = {NULL};
  static const char *const text[] = {"rows", NULL};
  static const char *const select[] = {"randomize", "seed", NULL};
  static const char *const select_file[] = {"randomize", "seed", "value", "label", NULL};
  static const char *const range[] = {"end", "placeholder", "start", "step", "tick_interval", "tick_labelset", NULL};
  static const char *const photo[] = {"app", "max-pixels", NULL};
  static const char *const audio[] = {"quality", NULL};
  static const char *const geopoint[] = {"allow-mock-accuracy", "capture-accuracy", "reference-geometry",
                                         "warning-accuracy", NULL};
  static const char *const geoshape[] = {"allow-mock-accuracy", "incremental", "reference-geometry", NULL};
  static const char *const audit[] = {"identify-user",
                                      "location-max-age",
                                      "location-min-interval",
                                      "location-priority",
                                      "track-changes",
                                      "track-changes-reasons",
                                      NULL};
  switch (kind) {
  case CQ_KIND_TEXT: return text;
  case CQ_KIND_SELECT:
  case CQ_KIND_SELECT_EXTERNAL:
  case CQ_KIND_RANK: return from_file ? select_file : select;
  case CQ_KIND_RANGE: return range;
  case CQ_KIND_PHOTO: return photo;
  case CQ_KIND_AUDIO:
  case CQ_KIND_BACKGROUND_AUDIO: return audio;
  case CQ_KIND_GEOPOINT: return geopoint;
  case CQ_KIND_GEOSHAPE: return geoshape;
  case CQ_KIND_AUDIT: return audit;
  default: return none;
  }
}

int cq_yes_no(cq_str text) {
  static const char *const yes[] = {"yes", "Yes", "YES", "true", "True", "TRUE", "true()"};
  static const char *const no[] = {"no", "No", "NO", "false", "False", "FALSE", "false()"};
  for (size_t i = 0; i < COUNT(yes); i++) {
    if (cq_str_is(text, yes[i])) return 1;
    if (cq_str_is(text, no[i])) return 0;
  }
  return -1;
}
