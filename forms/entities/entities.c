/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a finished record says about entities: each <entity> element and the
 * values saved beside it. Source: ODK Entities 2024.1 and 2025.1.
 */
#include "forms/engine/interview.h"

#include <stdlib.h>
#include <string.h>

typedef struct gathering {
  const cq_form *form;
  const cq_names *names; /* of the record */
  cq_arena *arena;
  cq_entities *out;
  size_t capacity;
  bool lenient; /* what breaks the rules is left out */
  cq_error *error;
} gathering;

static bool is_true(cq_str text) {
  return cq_str_is(text, "1") || cq_str_is(text, "true") || cq_str_is(text, "True");
}

static const cq_node *child_named(const cq_node *node, cq_atom local) {
  for (const cq_node *n = node == NULL ? NULL : node->first; n != NULL; n = n->next)
    if (n->kind == CQ_NODE_ELEMENT && n->local == local) return n;
  return NULL;
}

static cq_str copy(gathering *g, cq_str text) {
  return cq_arena_copy(g->arena, text);
}

static cq_str attribute_named(const gathering *g, const cq_node *node, const char *name) {
  cq_atom local = cq_names_find(g->names, cq_str_from(name));
  return local == CQ_ATOM_FAILED ? (cq_str){NULL, 0} : cq_str_trim(cq_attribute(node, local, CQ_ATOM_NONE));
}

static bool is_uuid(cq_str id) {
  for (size_t i = 0; i < id.size; i++) {
    char c = id.at[i];
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return id.size == 36;
}

/* The saved values of an entity: those below its group that belong to no deeper entity's repeat. */
static cq_status add_properties(gathering *g, cq_entity *entity, const cq_node *group, uint32_t field,
                                size_t *capacity);

static cq_status add_property(gathering *g, cq_entity *entity, cq_str name, cq_str value, size_t *capacity) {
  if (entity->property_count == *capacity) {
    size_t more = *capacity == 0 ? 16 : *capacity * 2;
    cq_entity_property *properties = cq_arena_array(g->arena, more, sizeof *properties);
    if (properties == NULL) return cq_error_nomem(g->error);
    if (entity->property_count > 0) memcpy(properties, entity->properties, entity->property_count * sizeof *properties);
    entity->properties = properties;
    *capacity = more;
  }
  cq_entity_property *property = &entity->properties[entity->property_count++];
  *property = (cq_entity_property){.name = name, .value = copy(g, value)};
  return property->value.at == NULL ? cq_error_nomem(g->error) : CQ_OK;
}

static uint32_t field_of(const cq_form *form, uint32_t parent, const cq_node *node) {
  uint32_t found = cq_fields_child(form, parent, node->local, CQ_ATOM_NONE, false);
  return found != CQ_NONE ? found : cq_fields_child(form, parent, node->local, node->space, false);
}

static bool has_entity(const cq_form *form, uint32_t field) {
  for (uint32_t i = form->definitions[field].first; i != CQ_NONE; i = form->definitions[i].next)
    if (form->definitions[i].local == form->words.meta)
      for (uint32_t j = form->definitions[i].first; j != CQ_NONE; j = form->definitions[j].next)
        if (form->definitions[j].local == form->words.entity) return true;
  return false;
}

static cq_status add_properties(gathering *g, cq_entity *entity, const cq_node *group, uint32_t field,
                                size_t *capacity) {
  for (const cq_node *n = group->first; n != NULL; n = n->next) {
    uint32_t child = n->kind == CQ_NODE_ELEMENT ? field_of(g->form, field, n) : CQ_NONE;
    if (child == CQ_NONE || has_entity(g->form, child)) continue;
    cq_status status = CQ_OK;
    if (g->form->fields[child].save_to.size > 0)
      status = add_property(g, entity, g->form->fields[child].save_to, cq_node_text(n), capacity);
    else if (g->form->fields[child].children > 0)
      status = add_properties(g, entity, n, child, capacity);
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

static int64_t version_of(cq_str text) {
  int64_t value = 0;
  return cq_str_int64(text, &value) && value > 0 ? value : 0;
}

static cq_entity *next(gathering *g) {
  if (g->out->count == g->capacity) {
    size_t capacity = g->capacity == 0 ? 4 : g->capacity * 2;
    cq_entity *items = cq_arena_array(g->arena, capacity, sizeof *items);
    if (items == NULL) return NULL;
    if (g->out->count > 0) memcpy(items, g->out->items, g->out->count * sizeof *items);
    g->out->items = items;
    g->capacity = capacity;
  }
  cq_entity *entity = &g->out->items[g->out->count];
  *entity = (cq_entity){0};
  return entity;
}

static cq_status check(const gathering *g, const cq_entity *entity) {
  if (entity->list.size == 0) return cq_error_set(g->error, CQ_INVALID, "forms.entity.list", NULL);
  bool named = (entity->action & CQ_ENTITY_CREATE) != 0 ? is_uuid(entity->id) : entity->id.size > 0;
  if (!named) return cq_error_set(g->error, CQ_INVALID, "forms.entity.id", NULL);
  if ((entity->action & CQ_ENTITY_CREATE) != 0 && entity->label.size == 0)
    return cq_error_set(g->error, CQ_INVALID, "forms.entity.label", NULL);
  return CQ_OK;
}

static cq_status add_entity(gathering *g, const cq_node *element, const cq_node *group, uint32_t field) {
  unsigned action = (is_true(attribute_named(g, element, "create")) ? CQ_ENTITY_CREATE : 0U) |
                    (is_true(attribute_named(g, element, "update")) ? CQ_ENTITY_UPDATE : 0U);
  if (action == 0) return CQ_OK;
  cq_entity *entity = next(g);
  if (entity == NULL) return cq_error_nomem(g->error);
  cq_str id = attribute_named(g, element, "id");
  if (cq_str_starts(id, CQ_STR("uuid:"))) id = (cq_str){id.at + 5, id.size - 5};
  const cq_node *label = child_named(element, g->form->words.label);
  entity->action = (cq_entity_action)action;
  entity->list = copy(g, attribute_named(g, element, "dataset"));
  entity->id = copy(g, id);
  entity->label = copy(g, label == NULL ? (cq_str){"", 0} : cq_node_text(label));
  entity->branch_id = copy(g, attribute_named(g, element, "branchId"));
  entity->base_version = version_of(attribute_named(g, element, "baseVersion"));
  entity->trunk_version = version_of(attribute_named(g, element, "trunkVersion"));
  if (entity->list.at == NULL || entity->id.at == NULL || entity->label.at == NULL || entity->branch_id.at == NULL)
    return cq_error_nomem(g->error);
  cq_status status = check(g, entity);
  size_t capacity = 0;
  if (status == CQ_OK) status = add_properties(g, entity, group, field, &capacity);
  g->out->count += status == CQ_OK;
  return status == CQ_INVALID && g->lenient ? CQ_OK : status;
}

/* A group's meta block may hold an entity: the root's, or (2025.1) a repeat's. */
static cq_status gather(gathering *g, const cq_node *group, uint32_t field) {
  const cq_node *meta = child_named(group, g->form->words.meta);
  for (const cq_node *n = meta == NULL ? NULL : meta->first; n != NULL; n = n->next) {
    if (n->kind != CQ_NODE_ELEMENT || n->local != g->form->words.entity) continue;
    cq_status status = add_entity(g, n, group, field);
    if (status != CQ_OK) return status;
  }
  for (const cq_node *n = group->first; n != NULL; n = n->next) {
    uint32_t child = n->kind == CQ_NODE_ELEMENT && n != meta ? field_of(g->form, field, n) : CQ_NONE;
    if (child == CQ_NONE || g->form->fields[child].children == 0) continue;
    cq_status status = gather(g, n, child);
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

cq_status cq_entities_read(const cq_form *form, cq_str record_xml, bool lenient, cq_arena *arena, cq_entities *entities,
                           cq_error *error) {
  *entities = (cq_entities){0};
  cq_saved saved;
  cq_status status = cq_saved_open(&saved, form, record_xml, error);
  gathering g = {
      .form = form, .names = saved.names, .arena = arena, .out = entities, .lenient = lenient, .error = error};
  if (status == CQ_OK) status = gather(&g, saved.top, 0);
  cq_saved_close(&saved);
  return status;
}

cq_status cq_form_entities(const cq_form *form, cq_str record_xml, cq_arena *arena, cq_entities *entities,
                           cq_error *error) {
  return cq_entities_read(form, record_xml, false, arena, entities, error);
}
