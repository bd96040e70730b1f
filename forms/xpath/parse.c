/* SPDX-License-Identifier: Apache-2.0 */
/* XML into a tree, by expat. Namespaces are resolved here: an element's prefix must stay as it was written. */
#include "forms/xpath/store.h"
#include "forms/xpath/tree.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
  XML_Parser parser;
  cq_tree *tree;
  cq_node *at; /* the open element */
  cq_buf text; /* since the last tag */
  bool apart;  /* what comes is no part of it */
  cq_atom xml_space, xmlns, output;
  unsigned flags;
  size_t depth;
  const char *fault; /* code of an error of ours; parsing has been stopped */
} reader;

static void stop(reader *reading, const char *fault) {
  if (!reading->fault) reading->fault = fault;
  XML_StopParser(reading->parser, XML_FALSE);
}

static bool is_blank(cq_str text) {
  return cq_str_trim(text).size == 0;
}

static void add_child(reader *reading, cq_node *node) {
  node->order = ++reading->tree->numbered;
  cq_store_link(reading->at, NULL, node);
}

/* White space between two outputs of a label is text. */
static bool follows_output(const reader *reading) {
  const cq_node *last = cq_node_last_child(reading->at);
  return last && last->local == reading->output && last->kind == CQ_NODE_ELEMENT;
}

/* The text read so far becomes a node of its own: something else follows it, or stands before it. */
static void end_text(reader *reading) {
  cq_str text = cq_buf_str(&reading->text);
  reading->apart = false;
  bool keep = text.size && reading->at->kind == CQ_NODE_ELEMENT &&
              !(reading->flags & CQ_TREE_DATA && is_blank(text) && !follows_output(reading));
  if (keep) {
    cq_node *node = cq_store_node(reading->tree, CQ_NODE_TEXT, 0, 0, 0);
    if (!node || !cq_store_pack(reading->tree, node, text)) {
      stop(reading, "forms.xml.large");
      return;
    }
    add_child(reading, node);
  }
  cq_buf_reset(&reading->text);
}

typedef struct split_name {
  cq_atom local, prefix;
} split_name;

static split_name split(reader *reading, const char *name) {
  const char *colon = strchr(name, ':');
  split_name out = {0};
  if (colon) out.prefix = cq_names_intern(reading->tree->names, (cq_str){name, (size_t)(colon - name)});
  out.local = cq_names_intern(reading->tree->names, cq_str_from(colon ? colon + 1 : name));
  if (out.local == CQ_ATOM_FAILED || out.prefix == CQ_ATOM_FAILED || !out.local) stop(reading, "forms.xml.large");
  return out;
}

/* The address a prefix stands for at `element`; CQ_ATOM_FAILED where none was declared. */
static cq_atom resolve(const reader *reading, const cq_node *element, cq_atom prefix) {
  for (; element; element = element->parent)
    for (const cq_node *a = element->attributes; a; a = a->next)
      if (a->kind == CQ_NODE_NAMESPACE && a->local == prefix)
        return cq_names_intern(reading->tree->names, cq_node_text(a));
  if (prefix == CQ_ATOM_XML) return CQ_ATOM_XML_SPACE;
  return prefix == CQ_ATOM_NONE ? CQ_ATOM_NONE : CQ_ATOM_FAILED;
}

static bool add_attributes(reader *reading, cq_node *element, const char **attributes, bool *declares) {
  cq_node *last = NULL;
  for (; *attributes; attributes += 2) {
    split_name name = split(reading, attributes[0]);
    cq_node_kind kind = CQ_NODE_ATTRIBUTE;
    if (name.prefix == (cq_atom)CQ_ATOM_XMLNS || (!name.prefix && name.local == (cq_atom)CQ_ATOM_XMLNS)) {
      name.local = name.prefix ? name.local : CQ_ATOM_NONE;
      name.prefix = CQ_ATOM_NONE;
      kind = CQ_NODE_NAMESPACE;
      *declares = true;
    }
    cq_node *node = cq_store_node(reading->tree, kind, name.local, name.prefix, 0);
    if (!node || !cq_store_pack(reading->tree, node, cq_str_from(attributes[1]))) return false;
    node->parent = element;
    node->order = ++reading->tree->numbered;
    node->previous = last;
    if (last)
      last->next = node;
    else
      element->attributes = node;
    last = node;
  }
  return true;
}

static bool resolve_names(reader *reading, cq_node *element, bool declares) {
  const cq_node *parent = element->parent;
  if (!declares && parent->kind == CQ_NODE_ELEMENT && parent->prefix == element->prefix)
    element->space = parent->space;
  else
    element->space = resolve(reading, element, element->prefix);
  if (element->space == CQ_ATOM_FAILED) return false;
  for (cq_node *a = element->attributes; a; a = a->next)
    if (a->prefix && (a->space = resolve(reading, element, a->prefix)) == CQ_ATOM_FAILED) return false;
  return true;
}

static void XMLCALL on_start(void *user, const char *name, const char **attributes) {
  reader *reading = user;
  end_text(reading);
  if (reading->fault) return;
  if (++reading->depth > CQ_TREE_MAX_DEPTH) {
    stop(reading, "forms.xml.deep");
    return;
  }
  split_name names = split(reading, name);
  cq_node *element = cq_store_node(reading->tree, CQ_NODE_ELEMENT, names.local, names.prefix, 0);
  if (!element) {
    stop(reading, "forms.xml.large");
    return;
  }
  add_child(reading, element);
  bool declares = false;
  if (!add_attributes(reading, element, attributes, &declares))
    stop(reading, "forms.xml.large");
  else if (!resolve_names(reading, element, declares))
    stop(reading, "forms.xml.prefix");
  reading->at = element;
}

static void XMLCALL on_end(void *user, const char *name) {
  (void)name;
  reader *reading = user;
  if (reading->fault) return;
  if (reading->at->first) {
    end_text(reading);
  } else {
    if (!cq_store_pack(reading->tree, reading->at, cq_buf_str(&reading->text))) stop(reading, "forms.xml.large");
    cq_buf_reset(&reading->text);
  }
  reading->at = reading->at->parent;
  reading->depth--;
}

static void XMLCALL on_text(void *user, const char *text, int size) {
  reader *reading = user;
  if (reading->apart) end_text(reading);
  if (reading->at->kind == CQ_NODE_ELEMENT) cq_buf_add(&reading->text, text, (size_t)size);
  if (reading->text.failed) stop(reading, "forms.xml.large");
}

/* Outside of data, a CDATA section is a text node of its own, as in the DOM that other engines stand on. */
static void XMLCALL on_section(void *user) {
  reader *reading = user;
  if (!(reading->flags & CQ_TREE_DATA)) reading->apart = reading->text.size != 0;
}

static void add_content(reader *reading, cq_node_kind kind, cq_atom target, const char *text) {
  if (reading->flags & CQ_TREE_DATA) return;
  end_text(reading);
  if (reading->fault) return;
  cq_node *node = cq_store_node(reading->tree, kind, target, 0, 0);
  if (!node || target == CQ_ATOM_FAILED || !cq_store_pack(reading->tree, node, cq_str_from(text)))
    stop(reading, "forms.xml.large");
  else
    add_child(reading, node);
}

static void XMLCALL on_comment(void *user, const char *text) {
  add_content(user, CQ_NODE_COMMENT, 0, text);
}

static void XMLCALL on_instruction(void *user, const char *target, const char *text) {
  reader *reading = user;
  add_content(reading, CQ_NODE_PI, cq_names_intern(reading->tree->names, cq_str_from(target)), text);
}

static void XMLCALL on_entity(void *user, const XML_Char *name, int parameter, const XML_Char *value, int size,
                              const XML_Char *base, const XML_Char *system, const XML_Char *public,
                              const XML_Char *notation) {
  (void)name, (void)parameter, (void)value, (void)size, (void)base, (void)system, (void)public, (void)notation;
  stop(user, "forms.xml.entity");
}

static cq_status explain(const reader *reading, cq_error *error) {
  XML_Parser parser = reading->parser;
  int64_t line = (int64_t)XML_GetCurrentLineNumber(parser), column = (int64_t)XML_GetCurrentColumnNumber(parser) + 1;
  enum XML_Error code = XML_GetErrorCode(parser);
  if (code == XML_ERROR_NO_MEMORY) return cq_error_nomem(error);
  cq_status status = CQ_INVALID;
  if (!reading->fault)
    cq_error_set(error, status, "forms.xml.broken", XML_ErrorString(code), NULL);
  else {
    if (strcmp(reading->fault, "forms.xml.deep") == 0 || strcmp(reading->fault, "forms.xml.large") == 0)
      status = CQ_LIMIT;
    cq_error_set(error, status, reading->fault, NULL);
  }
  cq_error_at_line(error, line, column);
  return status;
}

cq_status cq_tree_parse(cq_tree **tree, cq_names *names, cq_str xml, unsigned flags, size_t limit, cq_error *error) {
  *tree = NULL;
  reader reading = {.flags = flags};
  cq_status status = CQ_OK;
  reading.tree = cq_tree_new(names, limit);
  reading.parser = XML_ParserCreate(NULL);
  reading.output = cq_names_intern(names, CQ_STR("output"));
  if (!reading.tree || !reading.parser || reading.output == CQ_ATOM_FAILED) {
    status = cq_error_nomem(error);
    goto out;
  }
  reading.at = cq_tree_document(reading.tree);
  reading.at->order = ++reading.tree->numbered;
  XML_SetUserData(reading.parser, &reading);
  XML_SetElementHandler(reading.parser, on_start, on_end);
  XML_SetCharacterDataHandler(reading.parser, on_text);
  XML_SetCdataSectionHandler(reading.parser, on_section, on_section);
  XML_SetCommentHandler(reading.parser, on_comment);
  XML_SetProcessingInstructionHandler(reading.parser, on_instruction);
  XML_SetEntityDeclHandler(reading.parser, on_entity);
  enum { SLICE = 1 << 20 };
  for (size_t done = 0;;) {
    size_t left = xml.size - done;
    int size = left > SLICE ? SLICE : (int)left;
    done += (size_t)size;
    if (XML_Parse(reading.parser, size ? xml.at + done - size : "", size, done == xml.size) != XML_STATUS_OK) {
      status = explain(&reading, error);
      goto out;
    }
    if (done == xml.size) break;
  }
  reading.tree->ordered = true;
  *tree = reading.tree;
  reading.tree = NULL;
out:
  cq_buf_fini(&reading.text);
  if (reading.parser) XML_ParserFree(reading.parser);
  cq_tree_free(reading.tree);
  return status;
}
