/* SPDX-License-Identifier: Apache-2.0 */
/* Memory, names and the tree of a form being compiled. */
#include "forms/xlsform/form.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const cq_media_names[CQ_MEDIA_COUNT] = {"image", "big-image", "audio", "video"};

void *cq_draft_alloc(cq_form_draft *form, size_t size) {
  void *at = cq_arena_alloc(form->arena, size);
  if (!at) form->no_memory = true;
  return at;
}

cq_str cq_draft_copy(cq_form_draft *form, cq_str text) {
  cq_str kept = cq_arena_copy(form->arena, text);
  if (kept.at) return kept;
  form->no_memory = true;
  return (cq_str){"", 0};
}

cq_str cq_draft_format(cq_form_draft *form, const char *format, ...) {
  va_list list;
  va_start(list, format);
  int size = vsnprintf(NULL, 0, format, list);
  va_end(list);
  char *at = size < 0 ? NULL : cq_draft_alloc(form, (size_t)size + 1);
  if (!at) return (cq_str){"", 0};
  va_start(list, format);
  vsnprintf(at, (size_t)size + 1, format, list);
  va_end(list);
  return (cq_str){at, (size_t)size};
}

void cq_draft_attr(cq_form_draft *form, cq_attrs *attrs, cq_str name, cq_str value, int64_t column) {
  for (cq_attr *at = attrs->first; at; at = at->next) {
    if (!cq_str_equal(at->name, name)) continue;
    at->value = value;
    at->column = column;
    return;
  }
  cq_attr *attr = cq_draft_alloc(form, sizeof *attr);
  if (!attr) return;
  *attr = (cq_attr){.name = name, .value = value, .column = column};
  if (attrs->last)
    attrs->last->next = attr;
  else
    attrs->first = attr;
  attrs->last = attr;
}

cq_attr *cq_attr_of(const cq_attrs *attrs, const char *name) {
  for (cq_attr *at = attrs->first; at; at = at->next) {
    if (cq_str_is(at->name, name)) return at;
  }
  return NULL;
}

static bool name_start(uint32_t c) {
  return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         (c >= 0xC0 && c != 0xD7 && c != 0xF7 && c < 0x300) || (c >= 0x370 && c != 0x37E && c <= 0x1FFF) ||
         c == 0x200C || c == 0x200D || (c >= 0x2070 && c <= 0x218F) || (c >= 0x2C00 && c <= 0x2FEF) ||
         (c >= 0x3001 && c <= 0xD7FF) || (c >= 0xF900 && c <= 0xFDCF) || (c >= 0xFDF0 && c <= 0xFFFC) ||
         (c >= 0x10000 && c <= 0xEFFFF);
}

static bool name_part(uint32_t c) {
  return name_start(c) || c == '-' || c == '.' || (c >= '0' && c <= '9') || c == 0xB7 || (c >= 0x300 && c <= 0x36F) ||
         c == 0x203F || c == 0x2040;
}

size_t cq_name_size(cq_str text, size_t from) {
  size_t at = from, good = from, part = 0;
  bool colon = false;
  while (at < text.size) {
    uint32_t c = cq_utf8_next(text, &at);
    if (part == 0 ? name_start(c) : name_part(c)) {
      part++;
      good = at;
    } else if (c == ':' && part > 0 && !colon) {
      colon = true;
      part = 0;
    } else {
      break;
    }
  }
  return good - from;
}

bool cq_name_valid(cq_str name) {
  return name.size > 0 && cq_name_size(name, 0) == name.size;
}

uint32_t cq_name_hash(cq_str name) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < name.size; i++) hash = (hash ^ (unsigned char)name.at[i]) * 16777619u;
  return hash;
}

cq_element *cq_element_add(cq_form_draft *form, cq_element *parent, cq_element_kind kind, cq_str name, int64_t row) {
  cq_element *element = cq_draft_alloc(form, sizeof *element);
  if (!element) return NULL;
  element->kind = kind;
  element->name = name;
  element->row = row;
  element->parent = parent;
  if (!parent) return element;
  element->depth = parent->depth + 1;
  if (parent->last)
    parent->last->next = element;
  else
    parent->first = element;
  parent->last = element;
  return element;
}

cq_element *cq_element_next(const cq_element *root, const cq_element *at) {
  if (at->first) return at->first;
  while (at && at != root && !at->next) at = at->parent;
  return !at || at == root ? NULL : at->next;
}

cq_element *cq_element_named(const cq_form_draft *form, cq_str name) {
  cq_element *at = form->name_slots[cq_name_hash(name) % CQ_SLOTS];
  while (at && !cq_str_equal(at->name, name)) at = at->next_in_slot;
  return at;
}

/* Gives every element its path and makes names findable; elements of the same name hang one after another. */
void cq_paths_set(cq_form_draft *form) {
  memset(form->name_slots, 0, CQ_SLOTS * sizeof *form->name_slots);
  for (cq_element *at = form->root; at; at = cq_element_next(form->root, at)) {
    const cq_element *parent = at->parent;
    bool attribute = at->kind == CQ_ELEMENT_ATTRIBUTE;
    while (parent && form->settings.flat && parent->kind == CQ_ELEMENT_GROUP) parent = parent->parent;
    if (parent && form->settings.flat && at->kind == CQ_ELEMENT_GROUP) {
      at->path = parent->path;
    } else {
      at->path = cq_draft_format(form, "%.*s/%s%.*s", parent ? (int)parent->path.size : 0,
                                 parent ? parent->path.at : "", attribute ? "@" : "", (int)at->name.size, at->name.at);
    }
    bool of_entity = at->kind == CQ_ELEMENT_ENTITY || (parent && at->parent->kind == CQ_ELEMENT_ENTITY);
    bool second_meta = at->kind == CQ_ELEMENT_META && at != form->meta;
    if (attribute || of_entity || second_meta || at->kind == CQ_ELEMENT_EXTERNAL || at->name.size == 0) continue;
    cq_element **slot = &form->name_slots[cq_name_hash(at->name) % CQ_SLOTS], *same = *slot;
    while (same && !cq_str_equal(same->name, at->name)) same = same->next_in_slot;
    at->next_in_slot = at->next_of_name = NULL;
    if (same) {
      at->next_of_name = same->next_of_name;
      same->next_of_name = at;
    } else {
      while (*slot) slot = &(*slot)->next_in_slot;
      *slot = at;
    }
  }
}

cq_list *cq_list_named(const cq_form_draft *form, cq_str name) {
  cq_list *at = form->list_slots[cq_name_hash(name) % CQ_SLOTS];
  while (at && !cq_str_equal(at->name, name)) at = at->next_in_slot;
  return at;
}
