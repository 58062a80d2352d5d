#!/usr/bin/env python3
"""Writes chains.pem: certificates for the tests beside it, each after a line that names it.

Needs the Python package `cryptography`. Keys are made anew and thrown away; nothing depends on their values.
"""
import datetime, ipaddress
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU, NameOID

YEAR = lambda year: datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc)
HOST = "hook.ns.svc"
out = {}


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def make(label, subject, issuer=None, key=None, years=(2025, 2035), ca=None, sans=(), eku=None, usage=None,
         digest=hashes.SHA256(), pad=None, constraints=None):
    """A certificate called `label`; `issuer` is (name, key, certificate), itself if None."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    issuer_name, issuer_key = (issuer[0], issuer[1]) if issuer else (subject, key)
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer_name))
               .public_key(key.public_key()).serial_number(len(out) + 1)
               .not_valid_before(YEAR(years[0])).not_valid_after(YEAR(years[1])))
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca is not False, None if ca in (True, False) else ca[0]), True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(sans)), False)
    if eku:
        builder = builder.add_extension(x509.ExtendedKeyUsage([eku]), False)
    if usage is not None:
        builder = builder.add_extension(x509.KeyUsage(True, False, False, False, False, usage, False, False, False), True)
    if constraints:
        builder = builder.add_extension(constraints, True)
    if isinstance(issuer_key, ed25519.Ed25519PrivateKey):
        digest = None
    out[label] = builder.sign(issuer_key, digest, rsa_padding=pad)
    return subject, key


dns = [x509.DNSName(HOST)]
ca = make("ca", "hook-ca", ca=True, usage=True)
make("twin-ca", "hook-ca", ca=True, usage=True)
make("other-ca", "other-ca", ca=True)
make("leaf", "hook", ca, sans=dns, eku=EKU.SERVER_AUTH, ca=False)
make("leaf-plain", "hook", ca, sans=dns)
make("leaf-old", "hook", ca, sans=dns, years=(2020, 2024))
make("leaf-young", "hook", ca, sans=dns, years=(2030, 2031))
make("leaf-no-san", HOST, ca)
make("leaf-other-name", HOST, ca, sans=[x509.DNSName("other.ns.svc")])
make("leaf-wildcard", "hook", ca, sans=[x509.DNSName("*.ns.svc")])
make("leaf-ip", "hook", ca, sans=[x509.IPAddress(ipaddress.ip_address("10.0.0.1"))])
make("leaf-client", "hook", ca, sans=dns, eku=EKU.CLIENT_AUTH)
make("self", "hook", sans=dns, ca=False)
make("self-other", "hook", sans=dns, ca=False)
inter = make("intermediate", "hook-intermediate", ca, ca=(0,))
make("leaf-below", "hook", inter, sans=dns)
make("intermediate-old", "hook-intermediate", ca, key=inter[1], ca=(0,), years=(2020, 2024))
second = make("second", "hook-second", inter, ca=True)
make("leaf-too-deep", "hook", second, sans=dns)
plain = make("not-ca", "hook-not-ca", ca, ca=False)
make("leaf-of-not-ca", "hook", plain, sans=dns)
no_sign = make("no-cert-sign", "hook-no-sign", ca=True, usage=False)
make("leaf-of-no-cert-sign", "hook", no_sign, sans=dns)
old = make("ca-old", "hook-ca-old", ca=True, years=(2020, 2024))
make("leaf-of-old", "hook", old, sans=dns)
client_ca = make("ca-client", "hook-ca-client", ca=True, eku=EKU.CLIENT_AUTH)
make("leaf-of-client-ca", "hook", client_ca, sans=dns)
limited = make("ca-limited", "hook-ca-limited", ca=True,
               constraints=x509.NameConstraints([x509.DNSName("other.svc")], None))
make("leaf-of-limited", "hook", limited, sans=dns)
for label, key in {"rsa": rsa.generate_private_key(65537, 2048), "p384": ec.generate_private_key(ec.SECP384R1()),
                   "p521": ec.generate_private_key(ec.SECP521R1()), "ed25519": ed25519.Ed25519PrivateKey.generate()}.items():
    of = make(f"ca-{label}", f"hook-ca-{label}", key=key, ca=True)
    make(f"leaf-{label}", "hook", of, sans=dns, digest=hashes.SHA512())
    if label == "rsa":
        make("leaf-rsa-sha256", "hook", of, sans=dns)
        make("leaf-rsa-pss", "hook", of, sans=dns, pad=padding.PSS(padding.MGF1(hashes.SHA256()), 32))
with open("chains.pem", "w") as file:
    for label, certificate in out.items():
        file.write(f"{label}\n{certificate.public_bytes(serialization.Encoding.PEM).decode()}")
