"""A broker as in production: TLS, SCRAM, and for each user the rules of deploy/k8s and no others."""

import ssl
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import yaml
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hourbook_kit import clock
from hourbook_local import kafka
from hourbook_local.children import free_port

USERS = Path(__file__).parent.parent / "deploy/k8s/overlays/production/data/kafka-users.yaml"
TOPIC_OR_GROUP = {"topic": 2, "group": 3}
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8}
"""Kafka's protocol has numbers for these; literal names and *allow* are both 3."""


@dataclass(frozen=True)
class Secured:
    """What a client is told to come in by the door that is locked."""

    bootstrap: str
    ca_file: Path
    passwords: dict[str, str]
    settings: tuple[str, ...]

    def environment(self, user: str) -> dict[str, str]:
        return {
            "HOURBOOK_KAFKA_BOOTSTRAP": self.bootstrap,
            "HOURBOOK_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "HOURBOOK_KAFKA_SASL_USERNAME": user,
            "HOURBOOK_KAFKA_SASL_PASSWORD": self.passwords[user],
            "HOURBOOK_KAFKA_CA_FILE": str(self.ca_file),
        }

    def client(self, user: str, **other: Any) -> dict[str, Any]:
        """As aiokafka wants it."""
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": user,
            "sasl_plain_password": self.passwords[user],
            "ssl_context": ssl.create_default_context(cafile=str(self.ca_file)),
        } | other


def users() -> dict[str, list[dict[str, Any]]]:
    """Each KafkaUser's rules."""
    return {
        found["metadata"]["name"]: found["spec"]["authorization"]["acls"]
        for found in yaml.safe_load_all(USERS.read_text())
    }


async def secured(folder: Path) -> Secured:
    """Make the stack's broker of this folder ready: users, passwords and rules are in its log."""
    keys, port = folder / "tls", free_port()
    keys.mkdir(parents=True)
    passwords = {name: f"password-of-{name}" for name in users()}
    found = Secured(f"127.0.0.1:{port}", _certificates(keys), passwords, _settings(port, keys))
    broker = kafka.Broker(
        folder / "kafka",
        free_port(),
        free_port(),
        kafka.prepare(),
        settings=found.settings,
        format_with=tuple(
            word
            for name, password in passwords.items()
            for word in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")
        ),
    )
    broker.start()
    try:
        await broker.ready()
        await _allow(broker.bootstrap)
    finally:
        broker.stop()
    return found


def _settings(port: int, keys: Path) -> tuple[str, ...]:
    """The door beside stays open to whoever made the broker: the stack's own migrations come by it."""
    return (
        f"listeners=PLAINTEXT://127.0.0.1:{{port}},SECURED://127.0.0.1:{port},CONTROLLER://127.0.0.1:{{controller_port}}",
        f"advertised.listeners=PLAINTEXT://127.0.0.1:{{port}},SECURED://127.0.0.1:{port}",
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL",
        "sasl.enabled.mechanisms=SCRAM-SHA-512",
        f"listener.name.secured.scram-sha-512.sasl.jaas.config={SCRAM} required;",
        "ssl.keystore.type=PEM",
        f"ssl.keystore.location={keys / 'broker.pem'}",
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users=User:ANONYMOUS",
        "allow.everyone.if.no.acl.found=false",
    )


async def _allow(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for user, rules in users().items():
            for rule in rules:
                kind = TOPIC_OR_GROUP[rule["resource"]["type"]]
                name = rule["resource"]["name"]
                for operation in rule["operations"]:
                    allow = CreateAclsRequest(
                        kind, name, 3, f"User:{user}", "*", OPERATIONS[operation], 3
                    )
                    answer = await admin._send_request(allow)  # noqa: SLF001 -- it has no public word
                    ((error, message),) = answer.creation_responses
                    if error:
                        raise RuntimeError(message)
    finally:
        await admin.close()


def _certificates(folder: Path) -> Path:
    """An authority and what it says of the broker; gives the authority's own file."""
    authority, broker = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hourbook tests")])
    ca = (
        _certificate(ca_name, authority, ca_name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(authority, hashes.SHA256())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    mine = (
        _certificate(name, broker, ca_name)
        .add_extension(address, critical=False)
        .sign(authority, hashes.SHA256())
    )
    key = broker.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "broker.pem").write_bytes(key + mine.public_bytes(Encoding.PEM))
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(ca.public_bytes(Encoding.PEM))
    return ca_file


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name
) -> x509.CertificateBuilder:
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
    )
