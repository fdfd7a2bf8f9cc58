// SPDX-License-Identifier: MIT
#include "app/run/file_watch.h"

#include <sys/stat.h>

#include <utility>

namespace qmux::app {

void FileWatch::watch(std::vector<std::string> files) {
  States known = std::exchange(read_, {});
  for (std::string& file : files) {
    const auto found = known.find(file);
    const State state = found != known.end() ? found->second : look_at(file);
    read_.emplace(std::move(file), state);
  }
  last_look_ = read_;
}

void FileWatch::read_now() {
  for (auto& [file, state] : read_) state = look_at(file);
  last_look_ = read_;
}

bool FileWatch::have_changed() {
  const States before = last_look_;
  for (auto& [file, state] : last_look_) state = look_at(file);
  return last_look_ != read_ && last_look_ == before;
}

FileWatch::State FileWatch::look_at(const std::string& file) {
  struct stat found{};
  if (::stat(file.c_str(), &found) != 0) found = {};  // missing
  return {.device = found.st_dev,
          .inode = found.st_ino,
          .bytes = found.st_size,
          .modified_s = found.st_mtim.tv_sec,
          .modified_ns = found.st_mtim.tv_nsec};
}

}  // namespace qmux::app
