// SPDX-License-Identifier: MIT
//
// Ownership of GnuTLS's X.509 objects. An allocation that fails ends the process.
#pragma once

#include <gnutls/gnutls.h>
#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/result.h"

namespace qmux::app {

template <typename Handle, int (*kInit)(Handle*), void (*kDeinit)(Handle)>
class GnutlsHandle {
 public:
  GnutlsHandle() { CHECK(kInit(&handle_) == GNUTLS_E_SUCCESS); }
  GnutlsHandle(GnutlsHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  GnutlsHandle& operator=(GnutlsHandle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~GnutlsHandle() {
    if (handle_ != nullptr) kDeinit(handle_);
  }
  [[nodiscard]] Handle get() const noexcept { return handle_; }

 private:
  Handle handle_ = nullptr;
};

using X509Certificate = GnutlsHandle<gnutls_x509_crt_t, gnutls_x509_crt_init, gnutls_x509_crt_deinit>;
using SubjectAltNames =
    GnutlsHandle<gnutls_subject_alt_names_t, gnutls_subject_alt_names_init, gnutls_subject_alt_names_deinit>;
using X509PrivateKey = GnutlsHandle<gnutls_x509_privkey_t, gnutls_x509_privkey_init, gnutls_x509_privkey_deinit>;

inline gnutls_datum_t to_datum(std::string_view text) noexcept {
  // GnuTLS does not write to what a datum names; its type merely cannot say so.
  return {const_cast<unsigned char*>(as_octets(as_bytes(text))), static_cast<unsigned>(text.size())};
}

/// Takes what GnuTLS allocated, and overwrites it: it may be a key.
inline std::string take_datum(gnutls_datum_t& datum) {
  std::string text(reinterpret_cast<const char*>(datum.data), datum.size);
  gnutls_memset(datum.data, 0, datum.size);
  gnutls_free(datum.data);
  datum = {};
  return text;
}

}  // namespace qmux::app
