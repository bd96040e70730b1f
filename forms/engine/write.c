/* SPDX-License-Identifier: Apache-2.0 */
/* The record as XML: as it is submitted, or with all that a draft must keep. */
#include "forms/engine/interview.h"

#include <string.h>

typedef struct writing {
  const cq_interview *interview;
  cq_buf *out;
  bool draft;
  cq_atom prefixes[64], spaces[64]; /* declared on the root */
  size_t declared;
} writing;

/* Elements of the form's own namespace are written without one, as servers expect. */
static cq_atom plain_space(const writing *w, const cq_node *node) {
  return node->prefix != CQ_ATOM_NONE || node->space == w->interview->form->words.xforms ? CQ_ATOM_NONE : node->space;
}

static void note_prefix(writing *w, cq_atom prefix, cq_atom space) {
  if (prefix == CQ_ATOM_NONE || w->declared == 64) return;
  for (size_t i = 0; i < w->declared; i++)
    if (w->prefixes[i] == prefix) return;
  w->prefixes[w->declared] = prefix;
  w->spaces[w->declared++] = space;
}

static bool is_left_out(const writing *w, const cq_node *node) {
  return !w->draft && node->irrelevant;
}

static void gather_prefixes(writing *w, const cq_node *node) {
  note_prefix(w, node->prefix, node->space);
  for (const cq_node *a = node->attributes; a != NULL; a = a->next)
    if (a->kind == CQ_NODE_ATTRIBUTE) note_prefix(w, a->prefix, a->space);
  for (const cq_node *child = node->first; child != NULL; child = child->next)
    if (child->kind == CQ_NODE_ELEMENT && !is_left_out(w, child)) gather_prefixes(w, child);
}

static void add_name(const writing *w, const cq_node *node) {
  if (node->prefix != CQ_ATOM_NONE) {
    cq_buf_add_str(w->out, cq_names_text(w->interview->form->names, node->prefix));
    cq_buf_add_char(w->out, ':');
  }
  cq_buf_add_str(w->out, cq_names_text(w->interview->form->names, node->local));
}

static void add_attributes(const writing *w, const cq_node *node) {
  for (const cq_node *a = node->attributes; a != NULL; a = a->next) {
    if (a->kind != CQ_NODE_ATTRIBUTE) continue;
    cq_buf_add_char(w->out, ' ');
    add_name(w, a);
    cq_buf_add_text(w->out, "=\"");
    cq_buf_add_xml(w->out, cq_node_text(a), true);
    cq_buf_add_char(w->out, '"');
  }
}

static void add_declaration(const writing *w, cq_atom prefix, cq_atom space) {
  cq_buf_add_text(w->out, " xmlns");
  if (prefix != CQ_ATOM_NONE) {
    cq_buf_add_char(w->out, ':');
    cq_buf_add_str(w->out, cq_names_text(w->interview->form->names, prefix));
  }
  cq_buf_add_text(w->out, "=\"");
  cq_buf_add_xml(w->out, cq_names_text(w->interview->form->names, space), true);
  cq_buf_add_char(w->out, '"');
}

static void add_leaf(const writing *w, const char *prefix, const char *name, cq_str text) {
  cq_buf_addf(w->out, "<%s%s>", prefix, name);
  cq_buf_add_xml(w->out, text, false);
  cq_buf_addf(w->out, "</%s%s>", prefix, name);
}

/* The record's name, where the form has no node for it. */
static void add_names(const writing *w, const char *prefix) {
  if (w->interview->form->instance_id == CQ_NONE) add_leaf(w, prefix, "instanceID", w->interview->instance_id);
  if (w->interview->form->deprecated_id == CQ_NONE && w->interview->deprecated_id.size > 0)
    add_leaf(w, prefix, "deprecatedID", w->interview->deprecated_id);
}

static bool lacks_names(const writing *w) {
  const cq_form *form = w->interview->form;
  return form->instance_id == CQ_NONE || (form->deprecated_id == CQ_NONE && w->interview->deprecated_id.size > 0);
}

static void add_element(writing *w, const cq_node *node, cq_atom outer) {
  const cq_form *form = w->interview->form;
  const cq_slot *slot = node->user;
  bool root = node->parent->kind == CQ_NODE_DOCUMENT;
  bool meta = slot != NULL && slot->field == form->meta && lacks_names(w);
  cq_atom space = plain_space(w, node);
  cq_buf_add_char(w->out, '<');
  add_name(w, node);
  if (node->prefix == CQ_ATOM_NONE && space != outer) add_declaration(w, CQ_ATOM_NONE, space);
  for (size_t i = 0; root && i < w->declared; i++) add_declaration(w, w->prefixes[i], w->spaces[i]);
  add_attributes(w, node);
  bool own_meta = root && form->meta == CQ_NONE && lacks_names(w);
  if (cq_node_text(node).size == 0 && node->first == NULL && !meta && !own_meta) {
    cq_buf_add_text(w->out, "/>");
    return;
  }
  cq_buf_add_char(w->out, '>');
  if (node->first == NULL) cq_buf_add_xml(w->out, cq_node_text(node), false);
  for (const cq_node *child = node->first; child != NULL; child = child->next)
    if (child->kind == CQ_NODE_ELEMENT && !is_left_out(w, child))
      add_element(w, child, node->prefix == CQ_ATOM_NONE ? space : outer);
  if (meta) {
    char prefix[128] = "";
    cq_str text = cq_names_text(form->names, node->prefix);
    if (text.size > 0 && text.size < sizeof prefix - 1) {
      memcpy(prefix, text.at, text.size);
      memcpy(prefix + text.size, ":", 2);
    }
    add_names(w, prefix);
  }
  if (own_meta) {
    cq_buf_add_text(w->out, "<orx:meta>");
    add_names(w, "orx:");
    cq_buf_add_text(w->out, "</orx:meta>");
  }
  cq_buf_add_text(w->out, "</");
  add_name(w, node);
  cq_buf_add_char(w->out, '>');
}

cq_status cq_interview_write(const cq_interview *interview, cq_write what, cq_buf *xml, cq_error *error) {
  writing w = {.interview = interview, .out = xml, .draft = what == CQ_WRITE_DRAFT};
  gather_prefixes(&w, interview->root->node);
  if (interview->form->meta == CQ_NONE && lacks_names(&w))
    note_prefix(&w, cq_names_intern(interview->form->names, CQ_STR("orx")), interview->form->words.openrosa);
  add_element(&w, interview->root->node, CQ_ATOM_NONE);
  return xml->failed ? cq_error_nomem(error) : CQ_OK;
}
