/* Connects two programs: copy FIRST SECOND, each a command line for the shell. */
#include <sys/wait.h>
#include <unistd.h>

static void start(const char *command, int end, int standard, const int *others) {
  int n;

  if (fork() != 0) return;
  dup2(end, standard);
  for (n = 0; n < 4; n++) close(others[n]);
  execl("/bin/sh", "sh", "-c", command, (char *)NULL);
  _exit(127);
}

int main(int argc, char **argv) {
  static char buffer[65536];
  int ends[4];
  ssize_t length, written, part;

  if (argc < 3 || pipe(ends) != 0 || pipe(ends + 2) != 0) return 1;
  start(argv[1], ends[1], 1, ends);
  start(argv[2], ends[2], 0, ends);
  close(ends[1]);
  close(ends[2]);
  while ((length = read(ends[0], buffer, sizeof buffer)) > 0) {
    for (written = 0; written < length; written += part) {
      part = write(ends[3], buffer + written, length - written);
      if (part < 0) return 1;
    }
  }
  close(ends[3]);
  wait(NULL);
  wait(NULL);
  return 0;
}
