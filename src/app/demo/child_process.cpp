// SPDX-License-Identifier: MIT
#include "app/demo/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace qmux::app {
namespace {

constexpr std::size_t kLinesMax = 200;
constexpr std::chrono::seconds kPatience{5};  // between SIGTERM and SIGKILL

}  // namespace

Result<void> ChildProcess::start() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(std::string("cannot make a pipe: ") + std::strerror(errno));
  output_ = net::FileDescriptor(ends[0]);
  const net::FileDescriptor write_end(ends[1]);

  // Everything that a child needs is made before fork(): after it only async-signal-safe calls are allowed (signal-safety(7)).
  std::vector<char*> argv;
  static char name[] = "qmux";
  argv.push_back(name);
  for (std::string& argument : arguments_) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();

  pid_ = fork();
  if (pid_ < 0) return fail(std::string("cannot start a process: ") + std::strerror(errno));
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    sigset_t none;  // it must receive SIGTERM even if its parent blocks it
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    setpgid(0, 0);  // Ctrl-C in a terminal reaches the demo alone, which then ends its children in order
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    execv("/proc/self/exe", argv.data());
    _exit(127);
  }
  reader_ = std::jthread([this] { read_lines(); });
  return {};
}

void ChildProcess::read_lines() {
  std::string pending;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = read(output_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    const std::lock_guard lock(mutex_);
    if (count <= 0) {
      ended_ = true;
      changed_.notify_all();
      return;
    }
    pending.append(buffer.data(), static_cast<std::size_t>(count));
    for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos;) {
      lines_.push_back(pending.substr(0, end));
      pending.erase(0, end + 1);
      if (lines_.size() > kLinesMax) lines_.pop_front();
    }
    changed_.notify_all();
  }
}

Result<std::string> ChildProcess::wait_for_line(const std::string& text, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const auto found = [&] {
    return std::ranges::find_if(lines_, [&](const std::string& line) { return line.contains(text); });
  };
  changed_.wait_for(lock, timeout, [&] { return ended_ || found() != lines_.end(); });
  if (const auto line = found(); line != lines_.end()) return *line;
  std::string said;
  for (const std::string& line : lines_) said += "\n    " + line;
  const std::string what =
      std::string(ended_ ? "it ended before it printed" : "it did not print") + " \"" + text + "\"; it printed:";
  return fail(what + (said.empty() ? " nothing" : said), "qmux " + arguments_[0] + " " + arguments_[1]);
}

void ChildProcess::stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, deadline, [&] { return ended_; })) kill(pid_, SIGKILL);
  }
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace qmux::app
