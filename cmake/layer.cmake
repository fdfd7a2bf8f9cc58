# A layer is one folder of src/ and one static library. It sees the headers of the layers named in DEPENDS and of
# no others, because every layer's headers are reached through a directory of links that holds just that layer
# (<build>/include/<layer>/<layer> -> src/<layer>): the build itself enforces docs/ARCHITECTURE.md.
add_library(qmux_warnings INTERFACE)
target_compile_options(qmux_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wnull-dereference)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of g++ 12 inside its own standard library at -O2.
  target_compile_options(qmux_warnings INTERFACE -Wno-null-dereference -Wno-restrict)
else()
  # Clang warns inside libstdc++ 12 (std::stable_sort); g++ checks our own uses.
  target_compile_options(qmux_warnings INTERFACE -Wno-deprecated-declarations)
endif()
option(QMUX_WERROR "Warnings are errors" ON)
if(QMUX_WERROR)
  target_compile_options(qmux_warnings INTERFACE -Werror)
endif()

# libFuzzer sees which code of `target` an input reaches. (-fsanitize=fuzzer-no-link would be the same, but clang takes no
# precompiled header that was made without it.)
function(qmux_guide_fuzzers target)
  if(QMUX_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize-coverage=inline-8bit-counters,indirect-calls,trace-cmp,pc-table)
  endif()
endfunction()

function(qmux_layer name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;PRIVATE_LIBRARIES;PUBLIC_LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  set(includes ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${includes})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${includes}/${name} SYMBOLIC)
  if(NOT sources)
    add_library(qmux_${name} INTERFACE)
    target_include_directories(qmux_${name} INTERFACE ${includes})
    foreach(layer IN LISTS ARG_DEPENDS)
      target_link_libraries(qmux_${name} INTERFACE qmux_${layer})
    endforeach()
    target_link_libraries(qmux_${name} INTERFACE ${ARG_PUBLIC_LIBRARIES})
    return()
  endif()
  add_library(qmux_${name} STATIC ${sources})
  target_include_directories(qmux_${name} PUBLIC ${includes})
  foreach(layer IN LISTS ARG_DEPENDS)
    target_link_libraries(qmux_${name} PUBLIC qmux_${layer})
  endforeach()
  target_link_libraries(qmux_${name} PUBLIC ${ARG_PUBLIC_LIBRARIES} PRIVATE ${ARG_PRIVATE_LIBRARIES} qmux_warnings)
  qmux_use_precompiled(qmux_${name})
  qmux_guide_fuzzers(qmux_${name})
endfunction()
