/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/batch/interviews.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- choice lists and questions, in the manner of the programme's baseline --- */

static const char *const yes_no[] = {"si", "no", NULL};
static const char *const languages[] = {"que", "aym", "cas", "otra", NULL};
static const char *const sexes[] = {"m", "h", NULL};
static const char *const scale[] = {"1", "2", "3", "4", NULL};
static const char *const education[] = {"0", "1", "2", "3", "4", "5", "6", NULL};
static const char *const tenure[] = {"propia", "comunal", "alquilada", "al_partir", "otra", NULL};
static const char *const markets[] = {"acopiador", "feria", "asoc", "empresa", "turista", NULL};
static const char *const decides[] = {"yo", "pareja", "juntos", "hijos", "otro", NULL};
static const char *const units[] = {"ha", "m2", "local", NULL};
static const char *const water[] = {"red", "pozo", "rio", "puquio", "cisterna", "ns", "nr", NULL};
static const char *const how_often[] = {"nunca", "a_veces", "siempre", "ns", NULL};

typedef enum { CHOICE, COUNT, MONEY, DECIMAL, NAME, DATE } answer;
typedef struct question {
  const char *name, *label;
  answer as;
  const char *const *choices;
} question;

static const question person[] = {{"nombres", "Nombres", NAME, NULL},
                                  {"ape_pat", "Apellido paterno", NAME, NULL},
                                  {"ape_mat", "Apellido materno", NAME, NULL},
                                  {"tiene_dni", "¿Tiene DNI?", CHOICE, yes_no},
                                  {"sexo", "Sexo", CHOICE, sexes},
                                  {"fnac", "Fecha de nacimiento", DATE, NULL},
                                  {"edad", "Edad cumplida", COUNT, NULL},
                                  {"lengua_mat", "Lengua materna", CHOICE, languages},
                                  {"autoid", "Por sus costumbres y antepasados se considera", CHOICE, scale},
                                  {"educ", "Último nivel de estudios aprobado", CHOICE, education},
                                  {"lee", "¿Sabe leer y escribir?", CHOICE, yes_no},
                                  {"ecivil", "Estado civil", CHOICE, scale}};
static const question member[] = {{"m_par", "Parentesco con la jefa o el jefe del hogar", CHOICE, education},
                                  {"m_sexo", "Sexo", CHOICE, sexes},
                                  {"m_edad", "Edad", COUNT, NULL},
                                  {"m_horas", "Horas trabajadas la semana pasada", COUNT, NULL},
                                  {"m_estudia", "¿Estudia?", CHOICE, yes_no}};
static const question land[] = {{"n_parc", "Número de parcelas", COUNT, NULL},
                                {"sup", "Superficie total", DECIMAL, NULL},
                                {"sup_u", "Unidad", CHOICE, units},
                                {"tenencia", "Tenencia", CHOICE, tenure},
                                {"riego", "¿Tiene riego?", CHOICE, yes_no},
                                {"agua", "¿De dónde viene el agua?", CHOICE, water},
                                {"alpacas", "Alpacas", COUNT, NULL},
                                {"ovinos", "Ovinos", COUNT, NULL},
                                {"vacunos", "Vacunos", COUNT, NULL},
                                {"colmenas", "Colmenas", COUNT, NULL}};
static const question source[] = {{"f_costo", "Costos de la campaña", MONEY, NULL},
                                  {"f_auto", "Valor de lo consumido en casa", MONEY, NULL},
                                  {"f_merc", "¿A quién vende?", CHOICE, markets},
                                  {"f_dec", "¿Quién decide?", CHOICE, decides}};
static const char *const activities[] = {"quinua", "fibra", "turismo", "ceramica", NULL};
enum { MONTHS = 12, FREQUENT = 68, SCALES = 24, MEMBERS = 6 };

/* --- the blank form --- */

static void questions_of(cq_buf *out, const question *list, size_t count) {
  for (size_t i = 0; i < count; i++) cq_buf_addf(out, "            <%s/>\n", list[i].name);
}

#define ALL(list) list, sizeof(list) / sizeof *(list)

static void controls_of(cq_buf *out, const char *group, const question *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const question *q = &list[i];
    cq_buf_addf(out, "    <%s ref=\"/linea_base/%s/%s\">\n      <label>%s</label>\n", q->choices ? "select1" : "input",
                group, q->name, q->label);
    for (size_t k = 0; q->choices && q->choices[k]; k++)
      cq_buf_addf(out, "      <item><label>Opción %s</label><name>%s</name></item>\n", q->choices[k], q->choices[k]);
    cq_buf_addf(out, "    </%s>\n", q->choices ? "select1" : "input");
  }
}

static void numbered(cq_buf *out, const char *name, int count) {
  for (int i = 1; i <= count; i++) cq_buf_addf(out, "            <%s_%02d/>\n", name, i);
}

static void binds(cq_buf *out, const char *group, const question *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    cq_buf_addf(out, "      <bind nodeset=\"/linea_base/%s/%s\" type=\"%s\" required=\"true()\"/>\n", group,
                list[i].name, list[i].as == CHOICE ? "string" : "int");
}

void interview_form(cq_buf *out) {
  cq_buf_add_text(out, "<?xml version=\"1.0\"?>\n<h:html xmlns=\"http://www.w3.org/2002/xforms\" "
                       "xmlns:h=\"http://www.w3.org/1999/xhtml\">\n  <h:head>\n    <h:title>Línea de base</h:title>\n"
                       "    <model>\n      <instance>\n        <linea_base id=\"linea_base\" version=\"2012082001\">\n"
                       "          <start/>\n          <end/>\n          <today/>\n          <username/>\n"
                       "          <visita>\n            <region/>\n            <distrito/>\n            <ccpp/>\n"
                       "            <consiente/>\n            <modo/>\n          </visita>\n          <persona>\n");
  questions_of(out, ALL(person));
  cq_buf_add_text(out, "          </persona>\n          <wg>\n");
  numbered(out, "wg", SCALES);
  cq_buf_add_text(
      out, "          </wg>\n          <hogar>\n            <n_miem/>\n            <miembro jr:template=\"\">\n");
  questions_of(out, ALL(member));
  cq_buf_add_text(out, "            </miembro>\n            <miembro>\n");
  questions_of(out, ALL(member));
  cq_buf_add_text(out, "            </miembro>\n          </hogar>\n          <agro>\n");
  questions_of(out, ALL(land));
  cq_buf_add_text(out, "          </agro>\n          <ingreso>\n            <activ/>\n            <fuente>\n"
                       "            <f_cod/>\n            <f_meses/>\n            <por_mes>\n");
  numbered(out, "f_ing", MONTHS);
  cq_buf_add_text(out, "            </por_mes>\n            <f_bruto/>\n");
  questions_of(out, ALL(source));
  cq_buf_add_text(out, "            </fuente>\n            <total/>\n          </ingreso>\n          <practicas>\n");
  numbered(out, "p", FREQUENT);
  cq_buf_add_text(out, "          </practicas>\n          <observ/>\n          <meta>\n"
                       "            <entity dataset=\"tdd\" id=\"\" create=\"1\"/>\n            <instanceID/>\n"
                       "          </meta>\n        </linea_base>\n      </instance>\n");
  binds(out, "persona", ALL(person));
  binds(out, "hogar/miembro", ALL(member));
  binds(out, "agro", ALL(land));
  binds(out, "ingreso/fuente", ALL(source));
  cq_buf_add_text(out, "    </model>\n  </h:head>\n  <h:body>\n");
  controls_of(out, "persona", ALL(person));
  controls_of(out, "hogar/miembro", ALL(member));
  controls_of(out, "agro", ALL(land));
  controls_of(out, "ingreso/fuente", ALL(source));
  cq_buf_add_text(out, "  </h:body>\n</h:html>\n");
}

/* --- filled instances --- */

typedef struct chance {
  uint64_t state;
} chance;

/* splitmix64: any number of answers from one number */
static uint64_t roll(chance *c) {
  uint64_t z = (c->state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static size_t below(chance *c, size_t limit) {
  return (size_t)(roll(c) % limit);
}

/* Answers are not even: the first choices are the usual ones. */
static const char *choose(chance *c, const char *const *choices) {
  size_t count = 0;
  while (choices[count]) count++;
  size_t a = below(c, count), b = below(c, count);
  return choices[a < b ? a : b];
}

static void uuid(chance *c, char out[48]) {
  uint64_t a = roll(c), b = roll(c);
  snprintf(out, 48, "uuid:%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(a >> 32), (unsigned)(a & 0xffff),
           (unsigned)(a >> 16 & 0xfff), (unsigned)(b >> 48 & 0xfff), (unsigned long long)(b & 0xffffffffffffu));
}

static const char *const names[] = {"Amaru",   "Illari",   "Urpi",       "Chaska",    "Inti",     "Asiri",
                                    "Killa",   "Rosa",     "Sabina",     "Quispe",    "Mamani",   "Condori",
                                    "Huamán",  "Flores",   "Apaza",      "Ticona",    "Chambi",   "Ccama",
                                    "Manayay", "Bernilla", "Purihuamán", "Vilcabana", "Chapoñán", "De la Cruz"};

typedef struct filling {
  interview *to;
  chance chance;
  int64_t clock; /* ms, of the device */
} filling;

static void trail(filling *f, const char *path, const char *name) {
  int64_t start = f->clock;
  f->clock += 2000 + (int64_t)below(&f->chance, 9000);
  if (f->to->audit.size == 0) return;
  cq_buf_addf(&f->to->audit, "question,/linea_base/%s/%s,%lld,%lld\n", path, name, (long long)start,
              (long long)f->clock);
}

static void element(filling *f, const char *path, const char *name, const char *text) {
  f->to->questions++;
  trail(f, path, name);
  if (*text)
    cq_buf_addf(&f->to->xml, "<%s>%s</%s>", name, text, name);
  else
    cq_buf_addf(&f->to->xml, "<%s/>", name);
}

static void ask(filling *f, const char *path, const question *q) {
  char text[64] = "";
  chance *c = &f->chance;
  switch (q->as) {
  case CHOICE: snprintf(text, sizeof text, "%s", choose(c, q->choices)); break;
  case COUNT: snprintf(text, sizeof text, "%zu", below(c, below(c, 4) == 0 ? 80 : 12)); break;
  case MONEY: snprintf(text, sizeof text, "%zu.0", below(c, 3) == 0 ? 0 : (1 + below(c, 90)) * 10); break;
  case DECIMAL: snprintf(text, sizeof text, "%zu.%zu", below(c, 5), below(c, 4) * 25 / 10); break;
  case NAME: snprintf(text, sizeof text, "%s", names[below(c, sizeof names / sizeof *names)]); break;
  case DATE:
    snprintf(text, sizeof text, "%zu-%02zu-%02zu", 1935 + below(c, 60), 1 + below(c, 12), 1 + below(c, 28));
    break;
  }
  element(f, path, q->name, text);
}

static void ask_all(filling *f, const char *path, const question *list, size_t count) {
  for (size_t i = 0; i < count; i++) ask(f, path, &list[i]);
}

static void ask_numbered(filling *f, const char *path, const char *name, int count, const char *const *choices) {
  for (int i = 1; i <= count; i++) {
    char numbered_name[32];
    snprintf(numbered_name, sizeof numbered_name, "%s_%02d", name, i);
    element(f, path, numbered_name, choose(&f->chance, choices));
  }
}

/* Income of one source: only the months named are asked. */
static void ask_source(filling *f, const char *activity) {
  cq_buf *xml = &f->to->xml;
  size_t first = 1 + below(&f->chance, MONTHS - 3), many = 1 + below(&f->chance, 3), total = 0;
  char months[32] = "", *at = months;
  for (size_t i = 0; i < many; i++) at += sprintf(at, "%s%02zu", i ? " " : "", first + i);
  cq_buf_add_text(xml, "<fuente>");
  element(f, "ingreso/fuente", "f_cod", activity);
  element(f, "ingreso/fuente", "f_meses", months);
  cq_buf_add_text(xml, "<por_mes>");
  for (size_t i = 0; i < many; i++) {
    char name[32], text[32];
    size_t amount = (1 + below(&f->chance, 60)) * 20;
    total += amount;
    snprintf(name, sizeof name, "f_ing_%02zu", first + i);
    snprintf(text, sizeof text, "%zu.0", amount);
    element(f, "ingreso/fuente/por_mes", name, text);
  }
  cq_buf_addf(xml, "</por_mes><f_bruto>%zu</f_bruto>", total);
  ask_all(f, "ingreso/fuente", ALL(source));
  cq_buf_add_text(xml, "</fuente>");
}

static void stamp(cq_buf *xml, const char *name, int64_t utc_ms) {
  char text[25];
  cq_time_format_utc(utc_ms, text);
  cq_buf_addf(xml, "<%s>%s</%s>", name, text, name);
}

static void household(filling *f) {
  cq_buf *xml = &f->to->xml;
  size_t members = 1 + below(&f->chance, MEMBERS);
  cq_buf_addf(xml, "<hogar><n_miem>%zu</n_miem>", members);
  for (size_t i = 0; i < members; i++) {
    cq_buf_add_text(xml, "<miembro>");
    ask_all(f, "hogar/miembro", ALL(member));
    cq_buf_add_text(xml, "</miembro>");
  }
  cq_buf_add_text(xml, "</hogar>");
}

void interview_make(interview *made, uint64_t which, bool audited) {
  *made = (interview){0};
  filling f = {.to = made, .chance = {which * 2654435761u + 17}, .clock = fixture_now + (int64_t)which * 2700000};
  cq_buf *xml = &made->xml;
  if (audited) cq_buf_add_text(&made->audit, "event,node,start,end\n");
  uuid(&f.chance, made->instance_id);
  uuid(&f.chance, made->subject);
  int64_t start = f.clock;
  cq_buf_add_text(xml, "<linea_base id=\"linea_base\" version=\"2012082001\">");
  stamp(xml, "start", start);
  size_t end_at = xml->size;
  stamp(xml, "end", start);
  cq_buf_addf(xml, "<today>2012-08-20</today><username>tec%02llu</username>", (unsigned long long)(which % 3));
  size_t district = below(&f.chance, 12);
  cq_buf_addf(xml, "<visita><region>%02zu</region><distrito>2107%02zu</distrito><ccpp>2107%02zu%04zu</ccpp>",
              1 + district / 4, district, district, below(&f.chance, 60));
  element(&f, "visita", "consiente", "si");
  element(&f, "visita", "modo", choose(&f.chance, decides));
  cq_buf_add_text(xml, "</visita><persona>");
  ask_all(&f, "persona", ALL(person));
  cq_buf_add_text(xml, "</persona><wg>");
  ask_numbered(&f, "wg", "wg", SCALES, scale);
  cq_buf_add_text(xml, "</wg>");
  household(&f);
  cq_buf_add_text(xml, "<agro>");
  ask_all(&f, "agro", ALL(land));
  cq_buf_add_text(xml, "</agro><ingreso><activ>");
  size_t sources = 1 + below(&f.chance, 3);
  for (size_t i = 0; i < sources; i++) cq_buf_addf(xml, "%s%s", i ? " " : "", activities[i]);
  cq_buf_add_text(xml, "</activ>");
  for (size_t i = 0; i < sources; i++) ask_source(&f, activities[i]);
  cq_buf_addf(xml, "<total>%zu</total></ingreso><practicas>", below(&f.chance, 9000));
  ask_numbered(&f, "practicas", "p", FREQUENT, how_often);
  cq_buf_addf(xml,
              "</practicas><observ/><meta><entity dataset=\"tdd\" id=\"%s\" create=\"1\"/><instanceID>%s</instanceID>"
              "</meta></linea_base>",
              made->subject + 5, made->instance_id);
  char text[25]; /* the end is known now; it is as long as the start */
  cq_time_format_utc(f.clock, text);
  memcpy(xml->at + end_at + 5, text, 24);
}

void interview_fini(interview *made) {
  cq_buf_fini(&made->xml);
  cq_buf_fini(&made->audit);
}

cq_hash interview_record(cq_buf *out, const interview *from, const fixture *f, const signer *who, const cq_hash *form,
                         uint64_t sequence, const cq_random *random) {
  static const int32_t months[] = {24151, 24152, 24153};
  cq_subject subject = {.dataset = CQ_STR("tdd"), .id = cq_str_from(from->subject)};
  cq_record record = {
      .envelope = {.programme = f->programme,
                   .mode = f->mode,
                   .form_id = CQ_STR("linea_base"),
                   .form_version = CQ_STR("2012082001"),
                   .form_hash = *form,
                   .instance_id = cq_str_from(from->instance_id),
                   .subjects = &subject,
                   .subject_count = 1,
                   .zone = CQ_STR("altiplano"),
                   .season = CQ_STR("2012-T1"),
                   .calendar_version = 3,
                   .months = months,
                   .month_count = 3,
                   .result = CQ_RESULT_COMPLETE,
                   .technician = CQ_STR("tec01"),
                   .device = who->id,
                   .begun_utc_ms = fixture_now + (int64_t)sequence * 2700000,
                   .finished_utc_ms = fixture_now + (int64_t)sequence * 2700000 + 1812345 + (int64_t)sequence * 917,
                   .working_date = {2012, 8, 20},
                   .zone_minutes = -300,
                   .sequence = sequence,
                   .consent = {.state = CQ_CONSENT_GIVEN, .how = CQ_STR("oral"), .language = CQ_STR("quz")}},
      .instance_xml = cq_buf_str(&from->xml),
      .audit = cq_buf_str(&from->audit)};
  cq_hash name;
  if (cq_record_build(out, &name, &record, random, NULL) != CQ_OK) abort();
  return name;
}

cq_status interview_form_find(void *context, const cq_hash *hash, cq_str *xml) {
  const cq_buf *form = context;
  cq_hash own = cq_hash_of(form->at, form->size);
  if (!cq_hash_equal(&own, hash)) return CQ_NOTFOUND;
  *xml = cq_buf_str(form);
  return CQ_OK;
}
