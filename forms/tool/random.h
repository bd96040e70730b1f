/* SPDX-License-Identifier: Apache-2.0 */
/* Chance for the verbs of this program, from the system. */
#ifndef FORMS_TOOL_RANDOM_H
#define FORMS_TOOL_RANDOM_H

#include "chasqui/clock.h"

extern const cq_random cq_tool_random;

#endif
