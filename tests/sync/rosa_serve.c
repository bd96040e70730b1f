/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test server by hand, to try `send` and `server pull` against: serves the given forms until its standard input
 * ends, and says where and with which token. Each line read does something: "close FORM", "open FORM", "lose N",
 * "status N CODE", "count".
 *
 * usage: rosa_serve [FORM-ID VERSION FILE.xml]...
 */
#include "chasqui/file.h"
#include "tests/sync/rosa_server.h"

#include <stdio.h>
#include <string.h>

static void obey(rosa_server *s, const char *line) {
  char word[64];
  unsigned times, status;
  if (sscanf(line, "close %63s", word) == 1)
    rosa_server_close_form(s, word, true);
  else if (sscanf(line, "open %63s", word) == 1)
    rosa_server_close_form(s, word, false);
  else if (sscanf(line, "lose %u", &times) == 1)
    rosa_server_play(s, &(rosa_play){.kind = ROSA_PLAY_LOSE, .times = times});
  else if (sscanf(line, "status %u %u", &times, &status) == 2)
    rosa_server_play(s, &(rosa_play){.status = status, .times = times});
  rosa_counts n = rosa_server_counts(s);
  printf("submissions %zu, files %zu, posts %zu, the same again %zu\n", n.submissions, n.attachments, n.posts,
         n.identical);
  fflush(stdout);
}

int main(int argc, char **argv) {
  char url[80], line[200];
  rosa_server *s = rosa_server_start();
  if (!s) return 3;
  for (int i = 1; i + 2 < argc; i += 3) {
    cq_buf xml = {0};
    if (cq_file_read(argv[i + 2], 32 << 20, &xml, NULL) != CQ_OK) return 2;
    rosa_server_form(s, argv[i], argv[i + 1], cq_buf_str(&xml));
    cq_buf_fini(&xml);
  }
  rosa_server_url(s, url);
  printf("%s %s\n", url, ROSA_TOKEN);
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) obey(s, line);
  rosa_server_end(s);
  return 0;
}
