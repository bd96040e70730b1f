/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzzer's entry point over files and folders of files, so that every
 * seed and every input that once crashed is a test in each ordinary build.
 */
#include "chasqui/file.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t run(const char *path) {
  struct stat info;
  if (stat(path, &info) != 0) {
    perror(path);
    exit(1);
  }
  if (S_ISDIR(info.st_mode)) {
    DIR *folder = opendir(path);
    if (!folder) {
      perror(path);
      exit(1);
    }
    size_t count = 0;
    cq_buf child = {0};
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
      if (entry->d_name[0] == '.') continue;
      if (cq_file_path(&child, path, entry->d_name, NULL) == CQ_OK) count += run(child.at);
    }
    cq_buf_fini(&child);
    closedir(folder);
    return count;
  }
  cq_buf bytes = {0};
  if (cq_file_read(path, 1 << 26, &bytes, NULL) != CQ_OK) {
    fprintf(stderr, "%s cannot be read\n", path);
    exit(1);
  }
  /* an exact copy, so that a read past the end is seen by the sanitizer */
  uint8_t *copy = malloc(bytes.size ? bytes.size : 1);
  if (!copy) exit(1);
  for (size_t i = 0; i < bytes.size; i++) copy[i] = (uint8_t)bytes.at[i];
  LLVMFuzzerTestOneInput(copy, bytes.size);
  free(copy);
  cq_buf_fini(&bytes);
  return 1;
}

int main(int argc, char **argv) {
  size_t count = 0;
  for (int i = 1; i < argc; i++) count += run(argv[i]);
  printf("%zu inputs\n", count);
  return count > 0 ? 0 : 1;
}
