/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that make look-ups cheap: children by name, and rows of a list by what a column holds. */
#include "forms/xpath/store.h"
#include "forms/xpath/tree.h"

#include <stdlib.h>
#include <string.h>

/* --- children by name --- */

typedef struct child_entry {
  cq_node *first; /* NULL: the slot is free, or all of that name are gone */
  size_t count;
  cq_atom local;
  bool used;
} child_entry;

struct cq_child_table {
  cq_child_table *next; /* with the same hash of the parent */
  const cq_node *parent;
  child_entry *entries;
  size_t slots, used;
};

static size_t hash_pointer(const void *pointer) {
  uint64_t bits = (uint64_t)(uintptr_t)pointer >> 4;
  return (size_t)((bits * 0x9E3779B97F4A7C15u) >> 20);
}

static child_entry *entry_of(const cq_child_table *table, cq_atom local) {
  size_t slot = ((size_t)local * 0x9E3779B1u) & (table->slots - 1);
  while (table->entries[slot].used && table->entries[slot].local != local) slot = (slot + 1) & (table->slots - 1);
  return &table->entries[slot];
}

static bool grow_entries(cq_child_table *table) {
  child_entry *old = table->entries;
  size_t slots = table->slots;
  table->entries = calloc(slots * 2, sizeof *old);
  if (!table->entries) {
    table->entries = old;
    return false;
  }
  table->slots = slots * 2;
  for (size_t i = 0; i < slots; i++)
    if (old[i].used) *entry_of(table, old[i].local) = old[i];
  free(old);
  return true;
}

static bool count_in(cq_child_table *table, cq_node *child) {
  if (child->kind != CQ_NODE_ELEMENT || child->prefix) return true;
  child_entry *entry = entry_of(table, child->local);
  if (!entry->used) {
    if (table->used * 2 >= table->slots) {
      if (!grow_entries(table)) return false;
      entry = entry_of(table, child->local);
    }
    entry->used = true;
    entry->local = child->local;
    table->used++;
  }
  if (!entry->first) entry->first = child;
  entry->count++;
  return true;
}

static cq_child_table **table_of(const cq_tree *tree, const cq_node *parent) {
  cq_child_table **at = &tree->tables[hash_pointer(parent) & (tree->table_slots - 1)];
  while (*at && (*at)->parent != parent) at = &(*at)->next;
  return at;
}

static bool grow_tables(cq_tree *tree) {
  size_t slots = tree->table_slots ? tree->table_slots * 2 : 16;
  cq_child_table **fresh = calloc(slots, sizeof(cq_child_table *));
  if (!fresh) return false;
  for (size_t i = 0; i < tree->table_slots; i++)
    for (cq_child_table *table = tree->tables[i], *next; table; table = next) {
      next = table->next;
      cq_child_table **at = &fresh[hash_pointer(table->parent) & (slots - 1)];
      table->next = *at;
      *at = table;
    }
  free(tree->tables);
  tree->tables = fresh;
  tree->table_slots = slots;
  return true;
}

static void free_table(cq_child_table *table) {
  free(table->entries);
  free(table);
}

static const cq_child_table *make_table(cq_tree *tree, cq_node *parent) {
  if (tree->table_count >= tree->table_slots && !grow_tables(tree)) return NULL;
  cq_child_table *table = calloc(1, sizeof *table);
  if (!table) return NULL;
  table->parent = parent;
  table->slots = 16;
  table->entries = calloc(table->slots, sizeof *table->entries);
  bool made = table->entries != NULL;
  for (cq_node *child = parent->first; child && made; child = child->next) made = count_in(table, child);
  if (!made) {
    free_table(table);
    return NULL;
  }
  cq_child_table **at = table_of(tree, parent);
  table->next = *at;
  *at = table;
  tree->table_count++;
  parent->state |= CQ_NODE_HAS_TABLE;
  return table;
}

void cq_index_forget(cq_tree *tree, cq_node *parent) {
  if (!(parent->state & CQ_NODE_HAS_TABLE)) return;
  cq_child_table **at = table_of(tree, parent), *table = *at;
  if (!table) return;
  *at = table->next;
  free_table(table);
  tree->table_count--;
  parent->state &= (uint8_t)~CQ_NODE_HAS_TABLE;
}

void cq_index_added(cq_tree *tree, cq_node *parent, cq_node *child) {
  if (!(parent->state & CQ_NODE_HAS_TABLE)) return;
  cq_child_table *table = *table_of(tree, parent);
  if (!table) return;
  if (!count_in(table, child)) {
    cq_index_forget(tree, parent); /* memory is out: scanning still works */
    return;
  }
  if (child->next && child->kind == CQ_NODE_ELEMENT && !child->prefix)
    entry_of(table, child->local)->first = cq_node_child(parent, child->local);
}

void cq_index_removed(cq_tree *tree, cq_node *parent, cq_node *child) {
  if (!(parent->state & CQ_NODE_HAS_TABLE) || child->kind != CQ_NODE_ELEMENT || child->prefix) return;
  const cq_child_table *table = *table_of(tree, parent);
  if (!table) return;
  child_entry *entry = entry_of(table, child->local);
  entry->count--;
  if (entry->first == child) entry->first = cq_node_next_same(child);
}

static bool has_many(const cq_node *parent) {
  size_t seen = 0;
  for (const cq_node *child = parent->first; child && seen <= CQ_NODE_MANY_CHILDREN; child = child->next) seen++;
  return seen > CQ_NODE_MANY_CHILDREN;
}

static const cq_child_table *table_for(cq_node *parent) {
  if (!(parent->state & CQ_NODE_HAS_TABLE) && !has_many(parent)) return NULL;
  cq_tree *tree = cq_tree_of(parent);
  if (!tree) return NULL;
  return parent->state & CQ_NODE_HAS_TABLE ? *table_of(tree, parent) : make_table(tree, parent);
}

cq_node *cq_tree_children(cq_node *parent, cq_atom local, size_t *count) {
  const cq_child_table *table = table_for(parent);
  if (table) {
    const child_entry *entry = entry_of(table, local);
    *count = entry->used ? entry->count : 0;
    return entry->used ? entry->first : NULL;
  }
  cq_node *first = cq_node_child(parent, local);
  *count = 0;
  for (const cq_node *child = first; child; child = cq_node_next_same(child)) ++*count;
  return first;
}

/* --- rows by column --- */

typedef struct row_key {
  const char *text; /* NULL: free */
  uint32_t text_size, hash;
  uint32_t start, count; /* in `rows` */
} row_key;

struct cq_row_index {
  cq_row_index *next;
  const cq_node *parent;
  cq_atom row, column;
  row_key *keys;
  size_t slots;
  cq_node **rows;
  bool whole; /* every row has the column */
};

static uint32_t hash_text(const char *text, size_t size) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)text[i]) * 16777619u;
  return hash ^ (hash >> 15);
}

static row_key *key_of(const cq_row_index *index, const char *text, size_t size) {
  uint32_t hash = hash_text(text, size);
  size_t slot = hash & (index->slots - 1);
  for (;; slot = (slot + 1) & (index->slots - 1)) {
    row_key *key = &index->keys[slot];
    if (!key->text) {
      key->hash = hash; /* no harm in a free slot; spares the builder hashing again */
      return key;
    }
    if (key->hash == hash && key->text_size == size && memcmp(key->text, text, size) == 0) return key;
  }
}

static void free_index(cq_row_index *index) {
  free(index->keys);
  free(index->rows);
  free(index);
}

/* The cells of a column, in document order: read once from the tree, which is large and scattered. */
typedef struct cell_list {
  struct {
    cq_node *row;
    const cq_node *cell;
    row_key *key;
  } * at;
  size_t count, capacity;
} cell_list;

static bool gather_cells(cq_row_index *index, cell_list *list) {
  index->whole = true;
  for (cq_node *row = cq_node_child(index->parent, index->row); row; row = cq_node_next_same(row)) {
    size_t before = list->count;
    for (const cq_node *cell = cq_node_child(row, index->column); cell; cell = cq_node_next_same(cell)) {
      if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 1024;
        void *more = realloc(list->at, capacity * sizeof *list->at);
        if (!more) return false;
        list->at = more;
        list->capacity = capacity;
      }
      if (cell->first) return false; /* a column that holds elements is not for an index */
      list->at[list->count].row = row;
      list->at[list->count++].cell = cell;
    }
    if (list->count == before) index->whole = false;
  }
  return list->count < UINT32_MAX / 4;
}

/* Counts the rows of each key, gives each key its run in `rows`, and fills the runs. */
static void sort_rows(cq_row_index *index, cell_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    const cq_node *cell = list->at[i].cell;
    row_key *key = key_of(index, cell->text, cell->text_size);
    key->text = cell->text;
    key->text_size = cell->text_size;
    key->count++;
    list->at[i].key = key;
  }
  uint32_t start = 0;
  for (size_t i = 0; i < index->slots; i++) {
    index->keys[i].start = start;
    start += index->keys[i].count;
    index->keys[i].count = 0;
  }
  for (size_t i = 0; i < list->count; i++) {
    row_key *key = list->at[i].key;
    bool twice = key->count && index->rows[key->start + key->count - 1] == list->at[i].row;
    if (!twice) index->rows[key->start + key->count++] = list->at[i].row;
  }
}

static cq_row_index *make_index(cq_tree *tree, const cq_node *parent, cq_atom row, cq_atom column) {
  cell_list list = {0};
  cq_row_index *index = calloc(1, sizeof *index);
  if (!index) return NULL;
  index->parent = parent;
  index->row = row;
  index->column = column;
  bool made = gather_cells(index, &list);
  for (index->slots = 16; index->slots < list.count * 2;) index->slots *= 2;
  index->keys = made ? calloc(index->slots, sizeof *index->keys) : NULL;
  index->rows = made ? calloc(list.count + 1, sizeof(cq_node *)) : NULL;
  made = index->keys && index->rows;
  if (made) sort_rows(index, &list);
  free(list.at);
  if (!made) {
    free_index(index);
    return NULL;
  }
  index->next = tree->indexes;
  tree->indexes = index;
  return index;
}

bool cq_tree_lookup(cq_node *parent, cq_atom row, cq_atom column, cq_str text, cq_node *const **rows, size_t *count) {
  cq_tree *tree = cq_tree_of(parent);
  if (!tree || !tree->frozen) return false;
  cq_row_index *index = tree->indexes;
  while (index && (index->parent != parent || index->row != row || index->column != column)) index = index->next;
  if (!index) index = make_index(tree, parent, row, column);
  if (!index || (!text.size && !index->whole)) return false;
  const row_key *key = key_of(index, text.at ? text.at : "", text.size);
  *rows = index->rows + key->start;
  *count = key->text ? key->count : 0;
  return true;
}

void cq_index_free(cq_tree *tree) {
  for (size_t i = 0; i < tree->table_slots; i++)
    for (cq_child_table *table = tree->tables[i], *next; table; table = next) {
      next = table->next;
      free_table(table);
    }
  free(tree->tables);
  for (cq_row_index *index = tree->indexes, *next; index; index = next) {
    next = index->next;
    free_index(index);
  }
}
