// SPDX-License-Identifier: MIT
#include "wire/worker_routing.h"

#include "base/check.h"

namespace qmux::wire {

std::size_t worker_of(ConstBytes dcid, std::size_t workers) noexcept {
  CHECK(workers >= 1 && workers <= kWorkersMax);
  return dcid.empty() ? 0 : std::to_integer<std::size_t>(dcid.front()) % workers;
}

std::byte first_id_byte(std::size_t worker, std::size_t workers, std::byte random) noexcept {
  CHECK(worker < workers && workers <= kWorkersMax);
  const auto value = std::to_integer<std::size_t>(random);
  std::size_t named = value - value % workers + worker;
  if (named > 0xff) named -= workers;  // the last, incomplete round of numbers
  return static_cast<std::byte>(named);
}

}  // namespace qmux::wire
