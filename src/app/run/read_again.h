// SPDX-License-Identifier: MIT
//
// What a reload reads: the configuration file of the command line, with what else the command line says, and the files that it
// names.
#pragma once

#include <ctime>
#include <functional>
#include <utility>

#include "app/config/reading/loaded.h"
#include "app/run/reload.h"
#include "app/run/run_inputs.h"

namespace qmux::app {

/// Reads and checks the configuration. On any thread.
template <typename Config>
using ReadConfig = std::function<LoadResult<Config>()>;

/// `apply`, which is given what was read, is called as ApplyReload is, and not by the thread that reads.
template <typename Config>
PrepareReload read_again(ReadConfig<Config> read,
                         std::function<Result<void>(Loaded<Config> loaded, const RunInputs& inputs)> apply) {
  return [read = std::move(read), apply = std::move(apply)]() -> PreparedReload {
    auto loaded = read();
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    auto inputs = gather_inputs(*loaded, std::time(nullptr));
    if (!inputs) return std::unexpected(std::move(inputs.error()));
    return [apply, loaded = std::move(*loaded), inputs = std::move(*inputs)]() mutable {
      return apply(std::move(loaded), inputs);
    };
  };
}

}  // namespace qmux::app
