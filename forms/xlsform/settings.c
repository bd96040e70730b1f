/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xlsform/references.h"
#include "forms/xlsform/sheet.h"

#include <string.h>

static const cq_column_word settings_word = {"", CQ_COLUMN_UNKNOWN, NULL, ""};

static const cq_column_word *lookup(cq_str name) {
  return cq_settings_column_of(name) ? &settings_word : NULL;
}

static void take(cq_form_draft *form, const cq_header *header, const char *column, cq_str value, cq_place place) {
  cq_settings *s = &form->settings;
  struct {
    const char *column;
    cq_str *value;
  } texts[] = {{"form_title", &s->title},
               {"version", &s->version},
               {"name", &s->name},
               {"instance_name", &s->instance_name},
               {"instance_id", &s->instance_id},
               {"default_language", &s->default_language},
               {"public_key", &s->public_key},
               {"submission_url", &s->submission_url},
               {"auto_send", &s->auto_send},
               {"auto_delete", &s->auto_delete},
               {"namespaces", &s->namespaces},
               {"style", &s->style},
               {"instance_xmlns", &s->instance_xmlns},
               {"prefix", &s->prefix},
               {"delimiter", &s->delimiter}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (strcmp(column, texts[i].column) == 0) *texts[i].value = value;
  }
  struct {
    const char *column;
    bool *value;
  } flags[] = {{"allow_choice_duplicates", &s->allow_duplicates},
               {"clean_text_values", &s->clean_text},
               {"omit_instanceID", &s->omit_instance_id},
               {"flat", &s->flat},
               {"client_editable", &s->client_editable}};
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
    if (strcmp(column, flags[i].column) != 0) continue;
    int yes = cq_yes_no(value);
    if (yes < 0) {
      cq_fault(form, CQ_XLSFORM_WARNING, "xlsform.setting.yesno", place, value, "yes, no", (cq_str){"", 0});
    } else {
      *flags[i].value = yes;
    }
  }
  if (strcmp(column, "form_id") == 0 && (s->id.size == 0 || !cq_str_is(header->plain, "id_string"))) s->id = value;
  if (strcmp(column, "instance_name") == 0) s->instance_name_column = place.column;
  size_t prefix = strlen("attribute::");
  if (strcmp(column, "attribute::NAME") == 0 && header->text.size > prefix) {
    cq_str name = cq_str_trim((cq_str){header->text.at + prefix, header->text.size - prefix});
    if (cq_name_valid(name)) cq_draft_attr(form, &s->attributes, name, value, place.column);
  }
}

static void unknown(cq_form_draft *form, cq_place place) {
  cq_str names[64];
  size_t count = 0;
  for (size_t i = 0; count < 64 && cq_settings_column_at(i); i++)
    names[count++] = cq_str_from(cq_settings_column_at(i));
  cq_fault(form, CQ_XLSFORM_WARNING, "xlsform.header.unknown", place, place.header, NULL,
           cq_nearest(place.header, names, count));
}

static void check(cq_form_draft *form, const cq_headed_sheet *sheet) {
  cq_settings *s = &form->settings;
  if (s->name.size && !cq_name_valid(s->name)) {
    cq_place place = {"settings", s->row, 0, CQ_STR("name")};
    for (uint32_t i = 0; i < sheet->header_count; i++) {
      if (cq_str_is(sheet->headers[i].plain, "name")) place.column = sheet->headers[i].column;
    }
    cq_fault_error(form, "xlsform.name.characters", place, s->name);
    s->name = CQ_STR("data");
  }
  if (s->omit_instance_id && s->public_key.size) {
    cq_fault_error(form, "xlsform.setting.instanceid", (cq_place){"settings", s->row, 0, CQ_STR("omit_instanceID")},
                   (cq_str){"", 0});
  }
}

void cq_read_settings(cq_form_draft *form) {
  cq_settings *s = &form->settings;
  s->clean_text = true;
  cq_headed_sheet sheet;
  bool found = cq_headed_sheet_open(form, &sheet, "settings", lookup);
  if (found && sheet.sheet->count > 1) {
    const cq_row *row = &sheet.sheet->rows[1];
    s->row = row->number;
    for (uint32_t i = 0; i < row->count; i++) {
      const cq_header *header = cq_header_at(&sheet, row->cells[i].column);
      if (!header) continue;
      cq_place place = {"settings", row->number, header->column, header->text};
      const char *column = header->word ? cq_settings_column_of(header->plain) : NULL;
      if (column)
        take(form, header, column, cq_cell_text(form, &sheet, row->cells[i].text), place);
      else
        unknown(form, (cq_place){"settings", sheet.sheet->rows[0].number, header->column, header->text});
    }
    check(form, &sheet);
  } else if (!found) {
    cq_str similar = cq_book_similar(form, "settings");
    if (similar.size)
      cq_fault(form, CQ_XLSFORM_WARNING, "xlsform.sheet.similar", (cq_place){0}, similar, "settings", similar);
  }
  if (s->default_language.size == 0) s->default_language = CQ_STR("default");
  const cq_xlsform_options *o = form->options;
  if (s->name.size == 0) s->name = cq_str_from(o->root && *o->root ? o->root : "data");
  if (!cq_name_valid(s->name)) {
    cq_fault_error(form, "xlsform.name.characters", (cq_place){"settings", 0, 0, CQ_STR("name")}, s->name);
    s->name = CQ_STR("data");
  }
  if (s->id.size == 0) s->id = o->form_id && *o->form_id ? cq_str_from(o->form_id) : cq_str_from(form->fallback_id);
  if (s->title.size == 0) s->title = s->id;
}
