// SPDX-License-Identifier: MIT
#include "wire/worker_routing.h"

#include <gtest/gtest.h>

namespace qmux::wire {
namespace {

TEST(WorkerOf, leads_every_id_that_a_worker_issues_back_to_it) {
  for (std::size_t workers = 1; workers <= kWorkersMax; ++workers) {
    for (std::size_t worker = 0; worker < workers; ++worker) {
      for (unsigned random = 0; random < 256; random += 5) {
        const std::byte first = first_id_byte(worker, workers, static_cast<std::byte>(random));
        ASSERT_EQ(worker_of(ConstBytes(&first, 1), workers), worker) << workers << " workers, random " << random;
      }
    }
  }
}

TEST(WorkerOf, leads_an_empty_id_somewhere) { EXPECT_EQ(worker_of({}, 3), 0U); }

}  // namespace
}  // namespace qmux::wire
