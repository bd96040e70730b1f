/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/forms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char form_xml[] =
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "
    "xmlns:e=\"http://www.opendatakit.org/xforms/entities\"><h:head><h:title>t</h:title>"
    "<model e:entities-version=\"2025.1.0\"><instance><d id=\"d\"><alias/><g><lugar/></g><p><n/><meta><entity "
    "dataset=\"hijo\" create=\"1\" id=\"\"><label/></entity></meta></p><meta><entity dataset=\"tdd\" id=\"\" "
    "create=\"\" "
    "update=\"\" baseVersion=\"\"><label/></entity><instanceID/></meta></d></instance>"
    "<bind nodeset=\"/d/alias\" e:saveto=\"alias\"/><bind nodeset=\"/d/g/lugar\" e:saveto=\"lugar\"/>"
    "<bind nodeset=\"/d/p/n\" e:saveto=\"n\"/></model></h:head><h:body/></h:html>";

#define ID "aaaaaaaa-0000-4000-8000-000000000001"
#define CHILD "bbbbbbbb-0000-4000-8000-000000000002"

static const struct {
  const char *record, *want, *error;
} cases[] = {
    {"<d id=\"d\"><alias>A</alias><g><lugar>Puno</lugar></g><meta><entity dataset=\"tdd\" id=\"uuid:" ID
     "\" create=\"1\"><label>L</label></entity></meta></d>",
     "tdd " ID " 1 L 0 alias=A lugar=Puno ;", NULL},
    {"<d id=\"d\"><alias>A</alias><meta><entity dataset=\"tdd\" id=\"" ID
     "\" update=\"true\" baseVersion=\"3\"/></meta></d>",
     "tdd " ID " 2  3 alias=A ;", NULL},
    {"<d id=\"d\"><alias/><p><n>5</n><meta><entity dataset=\"hijo\" id=\"" CHILD
     "\" create=\"1\"><label>H</label></entity></meta></p><meta><entity dataset=\"tdd\" id=\"\" "
     "create=\"0\"/></meta></d>",
     "hijo " CHILD " 1 H 0 n=5 ;", NULL},
    {"<d id=\"d\"><meta><entity dataset=\"tdd\" id=\"x\" create=\"1\"><label>L</label></entity></meta></d>", NULL,
     "forms.entity.id"},
    {"<d id=\"d\"><meta><entity dataset=\"tdd\" id=\"" ID "\" create=\"1\"/></meta></d>", NULL, "forms.entity.label"},
    {"<d id=\"d\"><meta><entity id=\"" ID "\" create=\"1\"><label>L</label></entity></meta></d>", NULL,
     "forms.entity.list"},
    {"<x/>", NULL, "forms.record.other"},
    {"<d id=\"d\"", NULL, "forms.xml.broken"},
};

static void say(const cq_entities *entities, cq_buf *out) {
  for (size_t i = 0; i < entities->count; i++) {
    const cq_entity *e = &entities->items[i];
    cq_buf_addf(out, "%.*s %.*s %d %.*s %d ", (int)e->list.size, e->list.at, (int)e->id.size, e->id.at, (int)e->action,
                (int)e->label.size, e->label.at, (int)e->base_version);
    for (size_t j = 0; j < e->property_count; j++)
      cq_buf_addf(out, "%.*s=%.*s ", (int)e->properties[j].name.size, e->properties[j].name.at,
                  (int)e->properties[j].value.size, e->properties[j].value.at);
    cq_buf_add_text(out, ";");
  }
}

static void records_say_what_becomes_of_entities(void **state) {
  (void)state;
  cq_form *form;
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(cq_form_load(&form, cq_str_from(form_xml), NULL, &error), CQ_OK);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_arena *arena = cq_arena_new(0);
    cq_entities entities;
    cq_buf said = {0};
    cq_error_clear(&error);
    cq_status status = cq_form_entities(form, cq_str_from(cases[i].record), arena, &entities, &error);
    if (cases[i].error != NULL) {
      assert_int_equal(status, CQ_INVALID);
      assert_string_equal(error.code, cases[i].error);
    } else {
      assert_int_equal(status, CQ_OK);
      say(&entities, &said);
      assert_string_equal(said.at, cases[i].want);
    }
    cq_buf_fini(&said);
    cq_arena_free(arena);
  }
  cq_form_free(form);
}

static void fill(void *context, void *out, size_t size) {
  (void)context;
  memset(out, 0x11, size);
}

static void a_list_grows_with_what_was_registered(void **state) {
  (void)state;
  const cq_random random = {fill, NULL};
  cq_entity_property place = {CQ_STR("lugar"), CQ_STR("Cusco, \"centro\"")}, base = {CQ_STR("base"), CQ_STR("9")};
  cq_entity items[] = {
      {.list = CQ_STR("tdd"),
       .id = CQ_STR("n2"),
       .action = CQ_ENTITY_CREATE,
       .label = CQ_STR("Dos"),
       .property_count = 1,
       .properties = &place},
      {.list = CQ_STR("otra"), .id = CQ_STR("n9"), .action = CQ_ENTITY_CREATE, .label = CQ_STR("Nueve")},
      {.list = CQ_STR("tdd"), .id = CQ_STR("n1"), .action = CQ_ENTITY_UPDATE, .property_count = 1, .properties = &base},
      {.list = CQ_STR("tdd"), .id = CQ_STR("n1"), .action = CQ_ENTITY_UPDATE, .label = CQ_STR("Uno bis")},
      {.list = CQ_STR("tdd"), .id = CQ_STR("n7"), .action = CQ_ENTITY_UPDATE, .label = CQ_STR("Siete")},
  };
  const cq_entities entities = {sizeof items / sizeof *items, items};
  cq_buf out = {0};
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(cq_entities_apply(CQ_STR("name,label,lugar,__version\nn1,Uno,Puno,3\n"), CQ_STR("tdd"), &entities,
                                     &random, &out, &error),
                   CQ_OK);
  assert_string_equal(out.at, "name,label,lugar,__version,__branchId,__trunkVersion,base\r\n"
                              "n1,Uno bis,Puno,5,11111111-1111-4111-9111-111111111111,3,9\r\n"
                              "n2,Dos,\"Cusco, \"\"centro\"\"\",1,,,\r\n");
  cq_buf_reset(&out);
  assert_int_equal(cq_entities_apply((cq_str){NULL, 0}, CQ_STR("otra"), &entities, &random, &out, &error), CQ_OK);
  assert_string_equal(out.at, "name,label,__version\r\nn9,Nueve,1\r\n");
  cq_buf_fini(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_say_what_becomes_of_entities),
      cmocka_unit_test(a_list_grows_with_what_was_registered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
