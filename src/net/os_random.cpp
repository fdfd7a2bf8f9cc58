// SPDX-License-Identifier: MIT
#include "net/os_random.h"

#include <string.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"

namespace qmux::net {
namespace {

void draw(MutableBytes into) noexcept {
  while (!into.empty()) {
    const ssize_t count = ::getrandom(into.data(), into.size(), 0);
    CHECK(count > 0 || errno == EINTR);
    if (count > 0) into = into.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace

void OsRandom::fill(MutableBytes into) noexcept {
  if (into.size() > block_.size()) return draw(into);
  if (into.size() > left_) {
    draw(block_);
    left_ = block_.size();
  }
  const MutableBytes unused = MutableBytes(block_).subspan(block_.size() - left_, into.size());
  std::ranges::copy(unused, into.begin());
  // The bytes handed out may be a key, so no copy of them is kept.
  ::explicit_bzero(unused.data(), unused.size());
  left_ -= into.size();
}

}  // namespace qmux::net
