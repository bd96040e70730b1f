/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of places. A point is "latitude longitude [altitude [accuracy]]" in
 * degrees and metres; a line or shape is points separated by semicolons. The
 * earth is a sphere of 6,378,100 m, and answers are rounded to centimetres, as
 * in ODK Web Forms.
 */
#include "forms/xpath/functions.h"

#include <math.h>

static const double earth_radius_m = 6378100.0;
static const double degree = 3.14159265358979323846 / 180;

typedef struct point {
  double latitude, longitude;
} point;

typedef struct points {
  point *at;
  size_t count, capacity;
  bool wrong; /* something was no point */
} points;

static cq_status add_point(cq_run *run, points *list, point place) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? list->capacity * 2 : 16;
    point *more = cq_arena_array(run->scratch, capacity, sizeof *more);
    if (!more) return cq_fail_memory(run);
    for (size_t i = 0; i < list->count; i++) more[i] = list->at[i];
    list->at = more;
    list->capacity = capacity;
  }
  list->at[list->count++] = place;
  return cq_spend(run, 8); /* reading one, and the sines and cosines that follow */
}

static double next_number(const cq_xpath_host *host, cq_str text, size_t *at) {
  while (*at < text.size && text.at[*at] == ' ') ++*at;
  size_t from = *at;
  while (*at < text.size && text.at[*at] != ' ') ++*at;
  return cq_text_number(host, (cq_str){text.at + from, *at - from});
}

static cq_status no_place(cq_run *run) {
  return cq_fail(run, run->expression->top, CQ_INVALID, "xpath.argument", CQ_STR("distance, area"));
}

static cq_status read_points(cq_run *run, cq_str text, points *list) {
  cq_status status = CQ_OK;
  text = cq_str_trim(text);
  for (size_t from = 0; from < text.size && status == CQ_OK;) {
    size_t end = from, at = 0;
    while (end < text.size && text.at[end] != ';') end++;
    cq_str one = cq_str_trim((cq_str){text.at + from, end - from});
    from = end + 1;
    if (!one.size) continue;
    point place = {.latitude = next_number(run->host, one, &at)};
    place.longitude = next_number(run->host, one, &at);
    bool good = fabs(place.latitude) <= 90 && fabs(place.longitude) <= 180;
    if (!good && run->context->in_form) return no_place(run);
    if (good)
      status = add_point(run, list, place);
    else
      list->wrong = true;
  }
  return status;
}

/* All points of all arguments from `from` on, each node of a node-set one after another. */
static cq_status gather_points(cq_run *run, const cq_expr *call, points *list) {
  cq_status status = CQ_OK;
  for (size_t i = 0; i < call->count && status == CQ_OK; i++) {
    cq_xpath_value value;
    cq_str text;
    size_t before = list->count;
    status = cq_eval(run, call->args[i], &value);
    if (status != CQ_OK) return status;
    if (value.type != CQ_XPATH_NODES) {
      status = cq_as_string(run, &value, &text);
      if (status == CQ_OK) status = read_points(run, text, list);
    }
    for (size_t n = 0; value.type == CQ_XPATH_NODES && n < value.count && status == CQ_OK; n++) {
      status = cq_node_text_value(run, value.nodes[n], &text);
      if (status == CQ_OK) status = read_points(run, text, list);
    }
    if (status == CQ_OK && call->count > 1 && list->count > before + 1 && run->context->in_form)
      status = no_place(run); /* of several arguments each is one point */
  }
  return status;
}

static double two_decimals(double number) {
  return floor(number * 100 + 0.5) / 100;
}

static double distance_m(point a, point b) {
  double latitudes = sin((b.latitude - a.latitude) * degree / 2);
  double longitudes = sin((b.longitude - a.longitude) * degree / 2);
  double h = latitudes * latitudes + cos(a.latitude * degree) * cos(b.latitude * degree) * longitudes * longitudes;
  return 2 * earth_radius_m * asin(sqrt(h < 1 ? h : 1));
}

static cq_status fn_distance(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  points line = {0};
  double sum = 0;
  cq_status status = gather_points(run, call, &line);
  if (status == CQ_OK && line.wrong) status = cq_fail(run, call, CQ_INVALID, "xpath.argument", CQ_STR("geopoint"));
  if (status != CQ_OK) return status;
  for (size_t i = 1; i < line.count; i++) sum += distance_m(line.at[i - 1], line.at[i]);
  cq_answer_number(out, two_decimals(sum));
  return CQ_OK;
}

/* Spherical excess of the trapezia between each side and the equator. */
static cq_status fn_area(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  points shape = {0};
  double sum = 0;
  cq_status status = gather_points(run, call, &shape);
  if (status != CQ_OK) return status;
  for (size_t i = 0; i < shape.count; i++) {
    point a = shape.at[i], b = shape.at[i + 1 < shape.count ? i + 1 : 0];
    sum += (b.longitude - a.longitude) * degree * (2 + sin(a.latitude * degree) + sin(b.latitude * degree));
  }
  double area = fabs(sum * earth_radius_m * earth_radius_m / 2);
  cq_answer_number(out, shape.wrong || shape.count < 3 ? 0 : two_decimals(area));
  return CQ_OK;
}

/* --- inside, crossing --- */

static bool is_inside(point place, const points *shape) {
  bool inside = false;
  for (size_t i = 0, j = shape->count - 1; i < shape->count; j = i++) {
    point a = shape->at[i], b = shape->at[j];
    if ((a.longitude > place.longitude) != (b.longitude > place.longitude) &&
        place.latitude <
            (b.latitude - a.latitude) * (place.longitude - a.longitude) / (b.longitude - a.longitude) + a.latitude)
      inside = !inside;
  }
  return inside;
}

static cq_status fn_geofence(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  points place = {0}, shape = {0};
  cq_str text;
  cq_status status = cq_eval_string(run, call->args[0], &text);
  if (status == CQ_OK) status = read_points(run, text, &place);
  if (status == CQ_OK) status = cq_eval_string(run, call->args[1], &text);
  if (status == CQ_OK) status = read_points(run, text, &shape);
  if (status != CQ_OK) return status;
  bool usable = !place.wrong && !shape.wrong && place.count == 1 && shape.count >= 3;
  cq_answer_boolean(out, usable && is_inside(place.at[0], &shape));
  return CQ_OK;
}

/* Which side of the line a-b the point lies on: -1, 0 (on it), 1. */
static int side_of(point a, point b, point c) {
  double turn =
      (b.latitude - a.latitude) * (c.longitude - a.longitude) - (b.longitude - a.longitude) * (c.latitude - a.latitude);
  return (turn > 0) - (turn < 0);
}

static bool is_between(double value, double a, double b) {
  return a < b ? value >= a && value <= b : value >= b && value <= a;
}

static bool lies_on(point a, point b, point c) {
  return side_of(a, b, c) == 0 && is_between(c.latitude, a.latitude, b.latitude) &&
         is_between(c.longitude, a.longitude, b.longitude);
}

static bool cross(point a, point b, point c, point d) {
  if (side_of(a, b, c) * side_of(a, b, d) < 0 && side_of(c, d, a) * side_of(c, d, b) < 0) return true;
  return lies_on(a, b, c) || lies_on(a, b, d) || lies_on(c, d, a) || lies_on(c, d, b);
}

static bool same_place(point a, point b) {
  return a.latitude == b.latitude && a.longitude == b.longitude;
}

/* Sides that follow one another share a corner; more than that corner only where they fold back. */
static bool fold_back(point a, point corner, point b) {
  return side_of(a, corner, b) == 0 && (lies_on(a, corner, b) || lies_on(corner, b, a));
}

/* intersects(line or shape): whether it crosses or touches itself. */
static cq_status fn_intersects(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  points line = {0};
  cq_status status = gather_points(run, call, &line);
  if (status != CQ_OK) return status;
  size_t kept = line.count ? 1 : 0; /* a point that was tapped twice is one */
  for (size_t i = 1; i < line.count; i++)
    if (!same_place(line.at[kept - 1], line.at[i])) line.at[kept++] = line.at[i];
  size_t sides = kept ? kept - 1 : 0;
  bool closed = sides > 2 && same_place(line.at[0], line.at[sides]), crosses = false;
  status = cq_spend(run, sides * sides / 2);
  for (size_t i = 0; i < sides && !crosses && status == CQ_OK; i++)
    for (size_t j = i + 1; j < sides && !crosses; j++) {
      if (j == i + 1)
        crosses = fold_back(line.at[i], line.at[j], line.at[j + 1]);
      else if (closed && i == 0 && j == sides - 1)
        crosses = fold_back(line.at[j], line.at[0], line.at[1]);
      else
        crosses = cross(line.at[i], line.at[i + 1], line.at[j], line.at[j + 1]);
    }
  cq_answer_boolean(out, !line.wrong && crosses);
  return status;
}

static const cq_function rows[] = {
    {"area", 1, 1, CQ_READS_VALUES, 0, fn_area, NULL},
    {"enclosed-area", 1, 1, CQ_READS_VALUES, 0, fn_area, NULL}, /* its old name */
    {"distance", 1, CQ_ANY_COUNT, CQ_READS_VALUES, 0, fn_distance, NULL},
    {"geofence", 2, 2, CQ_READS_VALUES, 0, fn_geofence, NULL},
    {"intersects", 1, 1, CQ_READS_VALUES, 0, fn_intersects, NULL},
};

const cq_function_table cq_geo_functions = {rows, sizeof rows / sizeof *rows};
