#include "ipnscast/tests/support/test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>

#include "ipnscast/tests/support/catch.h"

namespace ipnscast::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
struct CloseFile {
  void operator()(FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<FILE, CloseFile>;

File opened(const std::filesystem::path& path, const char* mode) {
  File file(std::fopen(path.c_str(), mode));
  REQUIRE(file);
  return file;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  REQUIRE(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

Certificate make_certificate(const std::filesystem::path& folder, const std::string& file,
                             const CertificateWish& wish, const Certificate* issuer) {
  static int64_t serial = 1;
  Certificate out{folder / (file + ".pem"), folder / (file + ".key"), {}};
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const X509Ptr made(X509_new(), &X509_free);
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(made.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), static_cast<long>(wish.from_seconds));
  X509_gmtime_adj(X509_getm_notAfter(made.get()), static_cast<long>(wish.until_seconds));
  X509_set_pubkey(made.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(file.c_str()), -1, -1, 0);

  X509Ptr issuer_certificate(nullptr, &X509_free);
  Key issuer_key(nullptr, &EVP_PKEY_free);
  if (issuer != nullptr) {
    issuer_certificate.reset(
        PEM_read_X509(opened(issuer->certificate, "r").get(), nullptr, nullptr, nullptr));
    issuer_key.reset(
        PEM_read_PrivateKey(opened(issuer->key, "r").get(), nullptr, nullptr, nullptr));
  }
  X509* const above = issuer == nullptr ? made.get() : issuer_certificate.get();
  X509_set_issuer_name(made.get(), X509_get_subject_name(above));
  add_extension(made.get(), above, NID_basic_constraints,
                wish.authority ? "critical,CA:TRUE" : "CA:FALSE");
  add_extension(made.get(), above, NID_subject_alt_name,
                "DNS:" + wish.name + (wish.address.empty() ? "" : ",IP:" + wish.address));
  REQUIRE(X509_sign(made.get(), issuer == nullptr ? key.get() : issuer_key.get(), EVP_sha256()) >
          0);

  PEM_write_X509(opened(out.certificate, "w").get(), made.get());
  PEM_write_PrivateKey(opened(out.key, "w").get(), key.get(), nullptr, nullptr, 0, nullptr,
                       nullptr);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  REQUIRE(size > 0);
  SHA256(der, static_cast<size_t>(size), out.pin.bytes.data());
  OPENSSL_free(der);
  return out;
}

}  // namespace ipnscast::test
