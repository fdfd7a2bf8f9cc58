# The sanitizer presets precompile the headers of the standard library, fmt and GoogleTest, which takes about a quarter off their time. No
# header of ours is among them, and no library that only some layers may use. The other presets and clang-tidy do without, so
# that they notice what a file does not include by itself.
option(QMUX_PCH "Precompile the headers of the standard library and of test libraries (clang only)" OFF)

function(qmux_make_precompiled name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LIBRARIES" ${ARGN})
  set(empty ${CMAKE_BINARY_DIR}/${name}.cpp)
  file(CONFIGURE OUTPUT ${empty} CONTENT "")
  add_library(${name} OBJECT ${empty})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

if(QMUX_PCH)
  # With the time of its making in it, every build's would differ, and ccache would never find a file compiled with it.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  set(headers <algorithm> <array> <atomic> <charconv> <chrono> <deque> <expected> <filesystem> <functional> <list> <map> <memory>
    <optional> <set> <span> <sstream> <string> <string_view> <unordered_map> <unordered_set> <variant> <vector> <fmt/format.h>)
  qmux_make_precompiled(qmux_precompiled HEADERS ${headers} LIBRARIES fmt::fmt)
endif()

# Called by tests/, where the packages have been found.
function(qmux_make_precompiled_for_tests)
  if(QMUX_PCH)
    qmux_make_precompiled(qmux_precompiled_for_tests HEADERS ${headers} <gmock/gmock.h> <gtest/gtest.h> <rapidcheck/gtest.h>
      LIBRARIES fmt::fmt GTest::gmock GTest::gtest rapidcheck_gtest)
  endif()
endfunction()

function(qmux_use_precompiled target)
  if(QMUX_PCH)
    target_precompile_headers(${target} REUSE_FROM qmux_precompiled)
  endif()
endfunction()

function(qmux_use_precompiled_for_tests target)
  if(QMUX_PCH)
    target_precompile_headers(${target} REUSE_FROM qmux_precompiled_for_tests)
  endif()
endfunction()
