/* Sends lines to a program and waits for each to come back: dialogue COUNT PROGRAM [ARG...]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int down[2], up[2];
  FILE *in, *out;
  char *answer = NULL, line[64];
  size_t size = 0;
  int n, count;

  if (argc < 3 || pipe(down) != 0 || pipe(up) != 0) return 1;
  if (fork() == 0) {
    dup2(down[0], 0);
    dup2(up[1], 1);
    close(down[0]);
    close(down[1]);
    close(up[0]);
    close(up[1]);
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  close(down[0]);
  close(up[1]);
  in = fdopen(up[0], "r");
  out = fdopen(down[1], "w");
  count = atoi(argv[1]);
  for (n = 0; n < count; n++) {
    sprintf(line, "how are you %d\n", n);
    fputs(line, out);
    fflush(out);
    if (getline(&answer, &size, in) <= 0 || strcmp(answer, line) != 0) return 1;
  }
  fclose(out);
  free(answer);
  wait(NULL);
  return 0;
}
