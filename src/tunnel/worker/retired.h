// SPDX-License-Identifier: MIT
//
// Sessions and tunnels end inside their own callbacks, while their functions are still on the stack. They are put here and
// destroyed at the end of the pass, when none is on the stack.
//
// Owned by a worker; one thread.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace qmux::tunnel {

class Retirable {
 public:
  virtual ~Retirable() = default;
};

class Retired {
 public:
  void add(std::unique_ptr<Retirable> object) { objects_.push_back(std::move(object)); }
  /// A destructor may retire others: they are destroyed too.
  void clear() {
    while (!objects_.empty()) {
      clearing_.swap(objects_);
      clearing_.clear();
    }
  }

 private:
  std::vector<std::unique_ptr<Retirable>> objects_;
  std::vector<std::unique_ptr<Retirable>> clearing_;
};

}  // namespace qmux::tunnel
