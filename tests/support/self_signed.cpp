#include "ipnscast/tests/support/self_signed.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace ipnscast::test {
namespace {

constexpr long kHour = 3600;

void need(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("self-signed certificate: ") + what);
}

void add_extension(X509* certificate, int nid, const char* value) {
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value), &X509_EXTENSION_free);
  need(extension && X509_add_ext(certificate, extension.get(), -1) == 1, value);
}

template <typename Write>
void write_pem(const std::string& file, const Write& write) {
  const std::unique_ptr<FILE, int (*)(FILE*)> out(std::fopen(file.c_str(), "w"), &std::fclose);
  need(out && write(out.get()) == 1, file.c_str());
}

}  // namespace

SelfSigned::SelfSigned(const std::filesystem::path& folder)
    : certificate_file((folder / "certificate.pem").string()),
      key_file((folder / "key.pem").string()) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  need(key && certificate, "no memory");
  X509* const x = certificate.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -kHour);
  X509_gmtime_adj(X509_getm_notAfter(x), kHour);
  X509_set_pubkey(x, key.get());
  X509_NAME* const name = X509_get_subject_name(x);
  const unsigned char common_name[] = "loopback";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0);
  X509_set_issuer_name(x, name);
  add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(x, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  need(X509_sign(x, key.get(), EVP_sha256()) > 0, "cannot sign");
  write_pem(certificate_file, [x](FILE* out) { return PEM_write_X509(out, x); });
  write_pem(key_file, [&key](FILE* out) {
    return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace ipnscast::test
