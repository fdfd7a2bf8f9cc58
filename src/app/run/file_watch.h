// SPDX-License-Identifier: MIT
//
// Finds out whether files have changed since they were read: by their inode, time and length, links followed. That also notices a
// file that is replaced by another, a link on the way that is turned (as Kubernetes does with its volumes), and a file that comes
// later. A change counts once it has been the same in two looks, since a file may be half written, and a key may follow its
// certificate.
//
// One thread. It calls stat(2) for each file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace qmux::app {

class FileWatch {
 public:
  /// From now on these files. Those that are new among them have been read now.
  void watch(std::vector<std::string> files);
  /// They are being read now.
  void read_now();
  /// To be called at intervals of a second or so. True: they are not what they were when they were read, and have settled.
  [[nodiscard]] bool have_changed();

 private:
  struct State {
    dev_t device;
    ino_t inode;
    off_t bytes;
    std::int64_t modified_s;
    std::int64_t modified_ns;
    bool operator==(const State&) const = default;
  };
  using States = std::map<std::string, State>;
  [[nodiscard]] static State look_at(const std::string& file);

  States read_;       ///< as they were then
  States last_look_;  ///< the same files
};

}  // namespace qmux::app
