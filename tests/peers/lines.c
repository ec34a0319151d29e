/* Counts the lines that cat writes, and their letters: lines FILE. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int ends[2];
  char *line = NULL;
  size_t size = 0;
  ssize_t length;
  long lines = 0, letters = 0;
  FILE *pipe_file;

  if (argc < 2 || pipe(ends) != 0) return 1;
  if (fork() == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    execlp("cat", "cat", argv[1], (char *)NULL);
    _exit(127);
  }
  close(ends[1]);
  pipe_file = fdopen(ends[0], "r");
  while ((length = getline(&line, &size, pipe_file)) > 0) {
    lines++;
    letters += length - 1;
  }
  free(line);
  wait(NULL);
  printf("%ld %ld\n", lines, letters);
  return 0;
}
