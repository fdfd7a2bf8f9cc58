// SPDX-License-Identifier: MIT
#include "app/config/reading/load_file.h"

#include <algorithm>

#include "app/config/reading/yaml_tree.h"
#include "app/files.h"

namespace qmux::app {
namespace {

KeyNames names_of(std::span<const KeyInfo> keys) {
  KeyNames names;
  for (const KeyInfo& key : keys) {
    std::string_view path = key.path;
    while (!path.empty()) {
      const std::string_view name = path.substr(0, path.find_first_of(".["));
      names.emplace(name);
      path.remove_prefix(std::min(path.size(), path.find_first_not_of("[].", name.size())));
    }
  }
  return names;
}

}  // namespace

Result<std::string> read_config_file(const std::string& path) {
  constexpr std::size_t kFileBytesMax = std::size_t{1024} * 1024;
  return read_file(path, kFileBytesMax);
}

void read_document(std::string_view yaml, Report& report, std::span<const KeyInfo> known, const SecretKey& secret,
                   const DeclareKeys& declare, const std::function<void(Report&)>& check) {
  const auto document = parse_yaml(yaml);
  if (!document) {
    report.error_at(document.error().mark, {}, document.error().what, document.error().expected);
    return;
  }
  if (const auto& second = document->second_document) report.warn_at(*second, {}, "only the first document is read");
  report.locate({}, document->root.mark);
  const Secrecy secrecy(document->root, secret, names_of(known));
  read_root(document->root, {.report = &report, .list = nullptr, .known = known, .secrecy = &secrecy}, declare);
  check(report);
}

}  // namespace qmux::app
