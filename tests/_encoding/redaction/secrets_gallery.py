"""Made-up secrets in the forms in which they occur, and values that only look like them. Each is drawn from a seed of its form's own.

The patterns were written with half of the forms in sight; `is_held_out` tells the other half, which is only measured.
"""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

UPPER = string.ascii_uppercase + string.digits
LOWER = string.ascii_lowercase + string.digits
ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
URLSAFE = ALNUM + "-_"
BASE64 = ALNUM + "+/"


class Draw(random.Random):
    """Draws the parts of made-up values, and keeps what it drew."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self.drawn: list[str] = []

    def keep(self, drawn: str) -> str:
        """Keep a part that was made of others."""
        self.drawn.append(drawn)
        return drawn

    def of(self, count: int, alphabet: str = ALNUM) -> str:
        """Return that many characters."""
        return self.keep("".join(self.choice(alphabet) for _ in range(count)))

    def uuid(self) -> str:
        """Return a UUID."""
        return self.keep(str(uuid.UUID(int=self.getrandbits(128), version=4)))

    def password(self, length: int = 14) -> str:
        """Return a password with a capital, a small letter and a digit in it."""
        classes = (string.ascii_uppercase, string.ascii_lowercase, string.digits)
        return "".join(map(self.choice, classes)) + "".join(self.choice(ALNUM) for _ in range(length - 3))


@dataclass(frozen=True)
class Case:
    """A value, and what of it may not be recorded; nothing, if it is harmless."""

    category: str
    form: str
    value: object
    secret: str = ""


def is_held_out(form: str) -> bool:
    """Tell whether a form is of the half that is only measured."""
    return zlib.crc32(form.encode()) % 2 == 1


SENTENCES = (
    "I set it up with {} yesterday.",
    "Please run it again with {}",
    "new one: {} (valid for 90 days)",
    "{} is what support gave me",
)

KEYS: dict[str, dict[str, Callable[[Draw], str]]] = {
    "models": {
        "openai project": lambda d: f"sk-proj-{d.of(58, URLSAFE)}T3BlbkFJ{d.of(58, URLSAFE)}",
        "openai old": lambda d: f"sk-{d.of(20)}T3BlbkFJ{d.of(20)}",
        "openai service account": lambda d: f"sk-svcacct-{d.of(74, URLSAFE)}",
        "openai session": lambda d: f"sess-{d.of(40)}",
        "openai ephemeral": lambda d: f"ek_{d.of(48, HEX)}",
        "anthropic": lambda d: f"sk-ant-api03-{d.of(93, URLSAFE)}AA",
        "anthropic oauth": lambda d: f"sk-ant-oat01-{d.of(86, URLSAFE)}AA",
        "google ai": lambda d: f"AIzaSy{d.of(33, URLSAFE)}",
        "hugging face": lambda d: f"hf_{d.of(34, string.ascii_letters)}",
        "hugging face org": lambda d: f"api_org_{d.of(34, string.ascii_letters)}",
        "groq": lambda d: f"gsk_{d.of(52)}",
        "xai": lambda d: f"xai-{d.of(80)}",
        "perplexity": lambda d: f"pplx-{d.of(48)}",
        "openrouter": lambda d: f"sk-or-v1-{d.of(64, HEX)}",
        "replicate": lambda d: f"r8_{d.of(37)}",
        "fireworks": lambda d: f"fw_{d.of(22)}",
        "together": lambda d: f"tgp_v1_{d.of(43, URLSAFE)}",
        "nvidia": lambda d: f"nvapi-{d.of(64, URLSAFE)}",
        "tavily": lambda d: f"tvly-{d.of(32)}",
        "langsmith": lambda d: f"lsv2_sk_{d.of(32, HEX)}_{d.of(10, HEX)}",
        "langfuse": lambda d: f"sk-lf-{d.uuid()}",
        "logfire": lambda d: f"pylf_v1_us_{d.of(43)}",
        "wandb": lambda d: f"wandb_v1_{d.of(77, URLSAFE)}",
        "pinecone": lambda d: f"pcsk_{d.of(6)}_{d.of(63)}",
        "databricks": lambda d: f"dapi{d.of(32, HEX)}",
        "runpod": lambda d: f"rpa_{d.of(46, UPPER)}",
        "browserbase": lambda d: f"bb_live_{d.of(27, URLSAFE)}",
        "helicone": lambda d: f"sk-helicone-{d.of(7, LOWER)}-{d.of(7, LOWER)}-{d.of(7, LOWER)}-{d.of(7, LOWER)}",
        "cartesia": lambda d: f"sk_car_{d.of(22)}",
        "vercel gateway": lambda d: f"vck_{d.of(56)}",
        "whyops": lambda d: f"whyops_{d.of(32)}",
        "azure openai": lambda d: f"{d.of(52)}JQQJ99{d.of(26)}",
        "a vendor yet to come": lambda d: f"sk-qz-v2-{d.of(40)}",
        "another to come": lambda d: f"nova_secret_{d.of(32)}",
        "a third to come": lambda d: f"zt_{d.of(44)}",
    },
    "hosts": {
        "github classic": lambda d: f"ghp_{d.of(36)}",
        "github fine-grained": lambda d: f"github_pat_{d.of(22)}_{d.of(59)}",
        "github refresh": lambda d: f"ghr_{d.of(76)}",
        "gitlab": lambda d: f"glpat-{d.of(20, URLSAFE)}",
        "gitlab deploy": lambda d: f"gldt-{d.of(20, URLSAFE)}",
        "gitlab runner": lambda d: f"glrt-{d.of(20, URLSAFE)}",
        "bitbucket": lambda d: f"ATBB{d.of(32)}",
        "atlassian": lambda d: f"ATATT3xFfGF0{d.of(180, URLSAFE)}",
        "npm": lambda d: f"npm_{d.of(36)}",
        "pypi": lambda d: f"pypi-AgEIcHlwaS5vcmc{d.of(120, URLSAFE)}",
        "rubygems": lambda d: f"rubygems_{d.of(48, HEX)}",
        "docker": lambda d: f"dckr_pat_{d.of(27, URLSAFE)}",
        "buildkite": lambda d: f"bkua_{d.of(40, HEX)}",
        "circleci": lambda d: f"CCIPAT_{d.of(22)}_{d.of(40, HEX)}",
        "sonar": lambda d: f"sqp_{d.of(40, HEX)}",
        "sourcegraph": lambda d: f"sgp_{d.of(16, HEX)}_{d.of(40, HEX)}",
        "octopus": lambda d: f"API-{d.of(26, UPPER)}",
        "artifactory": lambda d: f"AKCp{d.of(69)}",
        "prefect": lambda d: f"pnu_{d.of(36)}",
        "terraform": lambda d: f"{d.of(14)}.atlasv1.{d.of(67, URLSAFE)}",
        "pulumi": lambda d: f"pul-{d.of(40, HEX)}",
        "vault": lambda d: f"hvs.{d.of(95, URLSAFE)}",
        "doppler": lambda d: f"dp.st.dev.{d.of(42)}",
        "1password": lambda d: f"ops_eyJ{d.of(240)}",
        "age": lambda d: f"AGE-SECRET-KEY-1{d.of(58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L')}",
        "sentry user": lambda d: f"sntryu_{d.of(64, HEX)}",
        "grafana service": lambda d: f"glsa_{d.of(32)}_{d.of(8, HEX)}",
        "new relic": lambda d: f"NRAK-{d.of(27, UPPER)}",
        "dynatrace": lambda d: f"dt0c01.{d.of(24, UPPER)}.{d.of(64, UPPER)}",
        "honeycomb": lambda d: f"hcaik_{d.of(58, LOWER)}",
        "axiom": lambda d: f"xaat-{d.uuid()}",
        "launchdarkly": lambda d: f"sdk-{d.uuid()}",
        "posthog": lambda d: f"phx_{d.of(43)}",
        "postman": lambda d: f"PMAK-{d.of(24, HEX)}-{d.of(34, HEX)}",
        "tailscale": lambda d: f"tskey-auth-{d.of(11)}CNTRL-{d.of(32)}",
    },
    "work": {
        "slack bot": lambda d: f"xoxb-{d.of(12, string.digits)}-{d.of(12, string.digits)}-{d.of(24)}",
        "slack app": lambda d: f"xapp-1-A{d.of(10, UPPER)}-{d.of(13, string.digits)}-{d.of(64, HEX)}",
        "slack configuration": lambda d: f"xoxe.xoxp-1-{d.of(150)}",
        "telegram": lambda d: f"{d.randrange(10**9, 10**10)}:AA{d.of(33, URLSAFE)}",
        "discord": lambda d: f"MT{d.of(24)}.G{d.of(5)}.{d.of(38, URLSAFE)}",
        "notion": lambda d: f"ntn_{d.of(11, string.digits)}{d.of(35)}",
        "notion old": lambda d: f"secret_{d.of(43)}",
        "linear": lambda d: f"lin_api_{d.of(40)}",
        "figma": lambda d: f"figd_{d.of(40, URLSAFE)}",
        "airtable": lambda d: f"pat{d.of(14)}.{d.of(64, HEX)}",
        "asana": lambda d: f"1/{d.of(16, string.digits)}:{d.of(32, HEX)}",
        "clickup": lambda d: f"pk_{d.of(8, string.digits)}_{d.of(32, UPPER)}",
        "trello": lambda d: f"ATTA{d.of(64, HEX)}{d.of(8, UPPER)}",
        "typeform": lambda d: f"tfp_{d.of(44, URLSAFE)}_{d.of(14)}",
        "hubspot": lambda d: f"pat-eu1-{d.uuid()}",
        "contentful": lambda d: f"CFPAT-{d.of(43, URLSAFE)}",
        "sendgrid": lambda d: f"SG.{d.of(22, URLSAFE)}.{d.of(43, URLSAFE)}",
        "mailgun": lambda d: f"key-{d.of(32, HEX)}",
        "mailchimp": lambda d: f"{d.of(32, HEX)}-us{d.randrange(1, 22)}",
        "brevo": lambda d: f"xkeysib-{d.of(64, HEX)}-{d.of(16)}",
        "mailersend": lambda d: f"mlsn.{d.of(64, HEX)}",
        "resend": lambda d: f"re_{d.of(8)}_{d.of(24)}",
        "twilio": lambda d: f"SK{d.of(32, HEX)}",
        "stripe": lambda d: f"sk_live_{d.of(24)}",
        "stripe restricted": lambda d: f"rk_test_{d.of(99)}",
        "stripe webhook": lambda d: f"whsec_{d.of(32)}",
        "square": lambda d: f"sq0csp-{d.of(43, URLSAFE)}",
        "razorpay": lambda d: f"rzp_live_{d.of(14)}",
        "flutterwave": lambda d: f"FLWSECK_TEST-{d.of(32, HEX)}-X",
        "plaid": lambda d: f"access-sandbox-{d.uuid()}",
        "shippo": lambda d: f"shippo_live_{d.of(40, HEX)}",
        "easypost": lambda d: f"EZAK{d.of(54)}",
        "shopify": lambda d: f"shpss_{d.of(32, HEX)}",
        "okta": lambda d: f"00{d.of(40, URLSAFE)}",
        "jwt": lambda d: f"eyJhbGciOiJSUzI1NiJ9.eyJ{d.of(90, URLSAFE)}.{d.of(120, URLSAFE)}",
        "fernet": lambda d: f"gAAAAAB{d.of(93, URLSAFE)}",
    },
    "clouds": {
        "aws key id": lambda d: f"AKIA{d.of(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}",
        "aws session key id": lambda d: f"ASIA{d.of(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}",
        "bedrock": lambda d: f"ABSKQmVkcm9ja0FQSUtleS{d.of(100, BASE64)}",
        "google oauth": lambda d: f"ya29.a0{d.of(150, URLSAFE)}",
        "google refresh": lambda d: f"1//0{d.of(100, URLSAFE)}",
        "google client secret": lambda d: f"GOCSPX-{d.of(28, URLSAFE)}",
        "azure storage": lambda d: f"{d.of(86, BASE64)}==",
        "azure application": lambda d: f"{d.of(3)}8Q~{d.of(34, ALNUM + '_.-')}",
        "azure devops": lambda d: f"{d.of(76)}AZDO{d.of(4)}",
        "alibaba": lambda d: f"LTAI{d.of(20)}",
        "tencent": lambda d: f"AKID{d.of(32)}",
        "yandex": lambda d: f"AQVN{d.of(36, URLSAFE)}",
        "digitalocean": lambda d: f"dop_v1_{d.of(64, HEX)}",
        "heroku": lambda d: f"HRKU-AA{d.of(58, URLSAFE)}",
        "cloudflare": lambda d: f"cfut_{d.of(40)}{d.of(8, HEX)}",
        "cloudflare origin": lambda d: f"v1.0-{d.of(24, HEX)}-{d.of(146, HEX)}",
        "fly": lambda d: f"fm2_{d.of(120, BASE64)}",
        "netlify": lambda d: f"nfp_{d.of(36)}",
        "render": lambda d: f"rnd_{d.of(28)}",
        "supabase": lambda d: f"sb_secret_{d.of(22, URLSAFE)}_{d.of(8)}",
        "planetscale": lambda d: f"pscale_pw_{d.of(43, URLSAFE)}",
        "openshift": lambda d: f"sha256~{d.of(43, URLSAFE)}",
        "nats": lambda d: f"SU{d.of(56, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}",
        "astra": lambda d: f"AstraCS:{d.of(20)}:{d.of(64, HEX)}",
        "mongodb atlas": lambda d: f"mdb_sa_sk_{d.of(40, URLSAFE)}",
    },
}
"""Keys that are known by their form, as they stand in a sentence."""

PLACES: dict[str, dict[str, Callable[[Draw, str], object]]] = {
    "urls": {
        "postgres": lambda _, s: f"could not connect to postgresql://shop:{s}@10.0.0.7:5432/shop",
        "mysql driver": lambda _, s: f"mysql+pymysql://shop:{s}@db.internal/shop?charset=utf8mb4",
        "mongodb": lambda _, s: {"uri": f"mongodb+srv://shop:{s}@cluster0.ab12c.mongodb.net/shop"},
        "redis": lambda _, s: f"rediss://default:{s}@cache:6380/1",
        "amqp": lambda _, s: f"amqp://guest:{s}@mq:5672//",
        "proxy": lambda _, s: f"HTTP_PROXY=http://squid:{s}@10.1.2.3:3128",
        "proxy without scheme": lambda _, s: f"proxy is squid:{s}@10.1.2.3:3128",
        "slash in it": lambda _, s: f"postgres://shop:ab/{s}@db/shop",
        "two at signs": lambda _, s: f"https://ada:ab@{s}@example.com/",
        "percent-encoded": lambda _, s: f"redirect=https%3A%2F%2Fada%3A{s}%40example.com%2Fhome",
        "in json": lambda _, s: json.dumps({"env": {"BROKER": f"amqps://svc:{s}@mq.example.com"}}),
        "clone": lambda d, _: f"git clone https://{d.of(40, HEX)}@git.example.com/ops/infra.git",
        "jdbc": lambda _, s: f"jdbc:mysql://db:3306/shop?user=shop&password={s}&useSSL=true",
        "ado": lambda _, s: f"Data Source=db;Initial Catalog=shop;User ID=sa;Password={s};Encrypt=True",
        "libpq": lambda _, s: f"host=db port=5432 user=shop password={s} sslmode=require",
        "go": lambda _, s: f"shop:{s}@tcp(127.0.0.1:3306)/shop?parseTime=true",
        "oracle": lambda _, s: f"sqlplus scott/{s}@//db:1521/XEPDB1",
        "api key query": lambda d, _: f"GET https://api.example.com/v1/geo?q=Lund&key={d.of(32)}",
        "app id query": lambda d, _: f"https://api.example.com/weather?q=Lund&appid={d.of(32, HEX)}",
        "access token fragment": lambda d, _: f"https://app.example.com/cb#access_token={d.of(60)}&expires_in=3600",
        "oauth code": lambda d, _: f"https://app.example.com/cb?code={d.of(40, URLSAFE)}&state=xyz",
        "session matrix": lambda d, _: f"https://shop.example.com/cart;jsessionid={d.of(32, UPPER)}",
        "signature": lambda d, _: f"https://cdn.example.com/a.mp4?Expires=1796000000&Signature={d.of(80, URLSAFE)}&Key-Pair-Id=K2",
        "sas": lambda d, _: f"https://acct.blob.core.windows.net/c/b?sv=2026-02-06&sr=b&sp=r&sig={d.of(43)}%3D",
        "s3": lambda d, _: f"https://b.s3.amazonaws.com/k?X-Amz-Date=20261128T000000Z&X-Amz-Signature={d.of(64, HEX)}",
        "account key": lambda d, _: (
            f"DefaultEndpointsProtocol=https;AccountName=acct;AccountKey={d.of(86, BASE64)}==;EndpointSuffix=core.windows.net"
        ),
        "service bus": lambda d, _: f"Endpoint=sb://q.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey={d.of(43, BASE64)}=",
        "slack hook": lambda d, _: f"https://hooks.slack.com/services/T0{d.of(9, UPPER)}/B0{d.of(9, UPPER)}/{d.of(24)}",
        "discord hook": lambda d, _: f"https://discord.com/api/webhooks/{d.of(19, string.digits)}/{d.of(68, URLSAFE)}",
        "n8n hook": lambda d, _: f"https://flows.example.com/webhook/{d.of(32)}",
    },
    "files": {
        "env": lambda _, s: f"DEBUG=1\nDATABASE_PASSWORD={s}\nPORT=80\n",
        "env quoted": lambda _, s: f'export SMTP_PASS="{s}"',
        "env letters": lambda d, _: f"HOST=db\nREDIS_PASSWORD={d.of(9, string.ascii_lowercase)}\n",
        "yaml": lambda _, s: f"database:\n  user: shop\n  password: {s}\n  port: 5432\n",
        "yaml folded": lambda _, s: f"password: >-\n  {s}\nuser: ada\n",
        "yaml list of variables": lambda _, s: f"env:\n  - name: DB_PASSWORD\n    value: {s}\n  - name: PORT\n    value: '80'\n",
        "toml": lambda _, s: f'[database]\nuser = "shop"\npassword = "{s}"\n',
        "ini": lambda _, s: f"[client]\nuser = root\npassword = {s}\n",
        "ini letters": lambda d, _: f"[client]\nuser = root\npassword = {d.of(9, string.ascii_lowercase)}\n",
        "properties": lambda _, s: f"spring.mail.password={s}\n",
        "netrc": lambda _, s: f"machine git.example.com\n  login ada\n  password {s}\n",
        "pgpass": lambda _, s: f"db.example.com:5432:shop:ada:{s}\n",
        "npmrc": lambda d, _: f"//registry.example.com/:_authToken={d.uuid()}\n",
        "pypirc": lambda _, s: f"[private]\nrepository = https://pypi.example.com\nusername = ada\npassword = {s}\n",
        "docker config": lambda d, s: json.dumps(
            {"auths": {"r.example.com": {"auth": d.keep(base64.b64encode(f"ada:{s}".encode()).decode())}}}
        ),
        "kubeconfig": lambda d, _: f"users:\n- name: ada\n  user:\n    token: {d.of(60, URLSAFE)}\n",
        "kubeconfig key": lambda d, _: f"    client-key-data: {d.of(120)}\n",
        "kubernetes secret": lambda _, s: f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  value: {s}\n",
        "aws credentials": lambda d, _: f"[default]\naws_secret_access_key = {d.of(40, BASE64)}\n",
        "gcp json": lambda d, _: json.dumps(
            {"type": "service_account", "private_key": f"-----BEGIN PRIVATE KEY-----\n{d.of(64, BASE64)}\n-----END PRIVATE KEY-----\n"}
        ),
        "tfvars": lambda _, s: f'db_master_password = "{s}"',
        "xml element": lambda _, s: f"<server><id>r</id><username>ada</username><password>{s}</password></server>",
        "xml attributes": lambda _, s: f'<add key="SmtpPassword" value="{s}" />',
        "plist": lambda _, s: f"<key>ApiToken</key>\n<string>{s}</string>",
        "pem": lambda d, _: f"-----BEGIN EC PRIVATE KEY-----\n{d.of(64, BASE64)}\n{d.of(64, BASE64)}\n-----END EC PRIVATE KEY-----",
        "openssh": lambda d, _: f"-----BEGIN OPENSSH PRIVATE KEY-----\n{d.of(70, BASE64)}\n-----END OPENSSH PRIVATE KEY-----",
        "pem in code": lambda d, _: f'KEY = ("-----BEGIN RSA PRIVATE KEY-----\\n"\n  "{d.of(64)}\\n"\n  "-----END RSA PRIVATE KEY-----")',
        "pem cut": lambda d, _: f"-----BEGIN RSA PRIVATE KEY-----\n{d.of(64, BASE64)}\n{d.of(20, BASE64)}",
        "putty": lambda d, _: f"PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{d.of(48, BASE64)}\nPrivate-MAC: 0\n",
        "htpasswd": lambda d, _: f"ada:$2y$05${d.of(53, ALNUM + './')}",
        "shadow": lambda d, _: f"ada:$6${d.of(8)}${d.of(86, ALNUM + './')}:20000:0:99999:7:::",
        "django": lambda d, _: f"pbkdf2_sha256$870000${d.of(22)}${d.of(43, BASE64)}=",
        "otpauth": lambda d, _: f"otpauth://totp/shop:ada?secret={d.of(32, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}&issuer=shop",
        "csv": lambda _, s: f"name,login,password\nAda,ada,{s}\n",
        "markdown table": lambda _, s: f"| service | user | password |\n| --- | --- | --- |\n| wiki | ada | {s} |\n",
    },
    "commands": {
        "curl user": lambda _, s: f"curl -sS -u ada:{s} https://example.com/api",
        "curl long user": lambda _, s: f"curl --user 'ada:{s}' https://example.com/api",
        "curl header": lambda d, _: f'curl -H "X-Api-Key: {d.of(32)}" https://example.com/api',
        "curl bearer": lambda d, _: f"curl -H 'Authorization: Bearer {d.of(40)}' https://example.com/api",
        "curl cookie": lambda d, _: f"curl -b 'sid={d.of(32)}' https://example.com/",
        "wget": lambda _, s: f"wget --user=ada --password={s} https://example.com/f",
        "mysql": lambda _, s: f"mysqldump -u root -p{s} shop > shop.sql",
        "psql": lambda _, s: f"PGPASSWORD={s} pg_dump -h db shop",
        "sshpass": lambda _, s: f"sshpass -p '{s}' ssh ada@example.com",
        "docker": lambda _, s: f"docker login -u ada -p {s} r.example.com",
        "redis": lambda _, s: f"redis-cli -h cache -a {s} ping",
        "ldap": lambda _, s: f"ldapsearch -x -D cn=admin,dc=example -w {s} -b dc=example",
        "sqlcmd": lambda _, s: f"sqlcmd -S db -U sa -P {s} -Q 'select 1'",
        "zip": lambda _, s: f"unzip -P {s} backup.zip",
        "openssl": lambda _, s: f"openssl pkcs12 -in a.p12 -passin pass:{s}",
        "helm": lambda d, _: f"helm --kube-token {d.of(40)} list",
        "option": lambda _, s: f"tool --db-password {s} --verbose",
        "option with sign": lambda _, s: f"tool --api-token={s}",
        "keytool": lambda _, s: f"keytool -list -keystore k.jks -storepass {s}",
        "list": lambda _, s: ["tool", "--password", s, "--verbose"],
        "list with sign": lambda _, s: ["tool", f"--token={s}"],
        "list of curl": lambda _, s: ["curl", "-u", f"ada:{s}", "https://example.com"],
        "list of mysql": lambda _, s: {"args": ["mysql", "-u", "root", f"-p{s}"]},
        "list in json": lambda _, s: json.dumps({"cmd": ["tool", "--secret", s]}),
        "sql": lambda _, s: f"ALTER USER shop WITH PASSWORD '{s}';",
        "sql identified": lambda _, s: f"CREATE USER shop IDENTIFIED WITH caching_sha2_password BY '{s}'",
    },
    "structures": {
        "dict": lambda _, s: {"user": "ada", "password": s},
        "camel case": lambda _, s: {"smtpPassword": s},
        "deep": lambda _, s: {"a": [{"b": {"c": ({"client_secret": s},)}}]},
        "bytes": lambda _, s: {"passphrase": s.encode()},
        "set": lambda _, s: {"tokens": {s}},
        "named beside": lambda _, s: [{"name": "PGPASSWORD", "value": s}],
        "header beside": lambda d, _: {"header": "X-Auth-Token", "value": d.of(32)},
        "pairs": lambda d, _: [("authorization", f"Bearer {d.of(40)}"), ("accept", "*/*")],
        "cookies": lambda d, _: {"cookies": {"sid": d.of(32)}},
        "json": lambda _, s: json.dumps({"db": {"password": s, "port": 5432}}),
        "json in json": lambda _, s: json.dumps({"body": json.dumps({"password": s})}),
        "json in json in json": lambda _, s: json.dumps([json.dumps({"a": json.dumps({"secret": s})})]),
        "repr": lambda _, s: f"Settings(user='ada', password='{s}', port=80)",
        "javascript": lambda _, s: f"{{ user: 'ada', apiKey: '{s}' }}",
        "ruby": lambda _, s: f'{{:password=>"{s}"}}',
        "go struct": lambda _, s: f'{{User:"ada" Password:"{s}"}}',
        "german": lambda _, s: {"kennwort": s},
        "french": lambda _, s: {"mot_de_passe": s},
        "pin": lambda d, _: {"pin": d.of(4, string.digits) + "7"},
        "one-time code": lambda d, _: {"otp_code": d.of(6, string.digits)},
        "card": lambda d, _: {"number": "4111…1111", "cvc": d.of(3, string.digits) + "5"},
        "web key": lambda d, _: {"kty": "EC", "crv": "P-256", "x": "abc", "d": d.of(43, URLSAFE)},
        "kubernetes": lambda _, s: {"kind": "Secret", "data": {"db": s}},
        "encryption key": lambda d, _: {"encryption_key": d.of(64, HEX)},
        "some key": lambda d, _: {"ingest_key": d.of(40)},
        "signature": lambda d, _: {"x-signature": d.of(64, HEX)},
        "words of a wallet": lambda d, _: {"mnemonic": " ".join(d.of(5, string.ascii_lowercase) for _ in range(12))},
        "raw request": lambda d, _: f"POST /v1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {d.of(40)}\r\n\r\n",
        "basic": lambda d, s: f"Authorization: Basic {d.keep(base64.b64encode(f'ada:{s}'.encode()).decode())}",
        "set-cookie": lambda d, _: f"set-cookie: sid={d.of(32)}; Path=/; HttpOnly",
        "digest": lambda d, _: f'Authorization: Digest username="ada", nonce="1", response="{d.of(32, HEX)}"',
        "exception": lambda _, s: ValueError(f"login failed with password={s}"),
    },
    "prose": {
        "is": lambda _, s: f"The password is {s}.",
        "colon": lambda _, s: f"my password: {s}",
        "equals": lambda _, s: f"pw = {s}",
        "arrow": lambda _, s: f"wifi password -> {s}",
        "bold": lambda _, s: f"**Password:** {s}",
        "bold name": lambda _, s: f"- **Password**: {s}",
        "code": lambda _, s: f"The token is `{s}`, keep it.",
        "list item": lambda _, s: f"* user: ada\n* password: {s}\n",
        "next line": lambda _, s: f"Your password:\n\n{s}\n\nDo not share it.",
        "named key": lambda d, _: f"here is the api key {d.of(32)} for staging",
        "set to": lambda _, s: f"I set the admin password to {s}, please change it",
        "quoted": lambda _, s: f'use password "{s}" for the wiki',
        "log": lambda _, s: f"2026-11-28 10:00:00 WARN auth user=ada password={s} failed",
        "bearer": lambda d, _: f"sent with bearer {d.of(40)}",
        "code by phone": lambda d, _: f"Your verification code: {d.of(6, string.digits)}",
        "unseen characters": lambda d, _: f"sk-{d.of(12)}\u200b{d.of(12)}\u200b{d.of(12)}",
        "base64 of json": lambda d, s: d.keep(base64.b64encode(json.dumps({"password": s}).encode()).decode()),
    },
}
"""Places that tell what stands in them; a password of letters and digits is put there, or what is drawn."""


def secrets(seed: int = 0) -> Iterator[Case]:
    """Draw a value of each form."""
    for category, forms in KEYS.items():
        for form, make in forms.items():
            draw = Draw(f"{seed} {category} {form}")
            key = make(draw)
            yield Case(category, form, {"note": draw.choice(SENTENCES).format(key)}, key)
    for category, places in PLACES.items():
        for form, place in places.items():
            draw = Draw(f"{seed} {category} {form}")
            password = draw.password()
            value = place(draw, password)
            yield Case(category, form, value, max(draw.drawn, key=len) if draw.drawn else password)


def _same(value: object, _draw: Draw) -> object:
    return value


HARMLESS: dict[str, tuple[Callable[[Draw], object], ...]] = {
    "ids": (
        lambda d: {"commit": d.of(40, HEX), "parent": d.of(7, HEX)},
        lambda d: {"id": d.uuid(), "text": f"order {d.uuid()} has shipped"},
        lambda d: f"chatcmpl-{d.of(29)}",
        lambda d: {"id": f"msg_01{d.of(22)}", "tool_use_id": f"toolu_01{d.of(22)}"},
        lambda d: {"id": f"call_{d.of(24)}", "response": f"resp_{d.of(48, HEX)}"},
        lambda d: f"run-{d.uuid()} in thread_{d.of(24)} with file-{d.of(22)}",
        lambda d: f"cus_{d.of(14)} paid pi_{d.of(24)} for price_{d.of(24)}",
        lambda d: f"sha256:{d.of(64, HEX)} is the image's digest",
        lambda d: {"integrity": f"sha512-{d.of(86, BASE64)}=="},
        lambda d: f"01J{d.of(23, UPPER)}",
        lambda d: f"arn:aws:iam::{d.of(12, string.digits)}:role/build",
        lambda d: f"i-0{d.of(16, HEX)} in vpc-0{d.of(16, HEX)}",
        lambda d: {"etag": f'"{d.of(32, HEX)}"', "trace_id": d.of(32, HEX), "span_id": d.of(16, HEX)},
        lambda d: {"image": "data:image/png;base64," + base64.b64encode(d.randbytes(900)).decode()},
        lambda d: {"bytes": base64.b64encode(d.randbytes(700)).decode()},
        lambda d: f"pk_live_is_public, see pub-{d.of(32, HEX)}",
        lambda d: f"https://example.com/orders/{d.uuid()}?page={d.randrange(9)}&sort=name",
        lambda d: {"iban": f"DE{d.of(20, string.digits)}", "isbn": "978-3-16-148410-0"},
    ),
    "counts": (
        lambda _: {"usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}},
        lambda _: {"max_tokens": 512, "stop_token": "</s>", "token_count": 3, "tokens_per_second": 51.5},
        lambda _: "max_tokens=512, total_tokens: 33, cached tokens: 7",
        lambda _: {"logprobs": [{"token": "Hello", "logprob": -0.25, "bytes": [72]}]},
        lambda _: {"next_page_token": "CAUQAA", "token_type": "bearer", "eos_token": "<|end|>"},
        lambda _: {"tokens": 120, "pass": 3, "passed": 10},
        lambda _: "12 passed, pass: 10, fail: 2",
        lambda _: {"reasoning_tokens": 64, "prompt_tokens_details": {"cached_tokens": 4}},
    ),
    "code": tuple(
        partial(_same, {"code": text})
        for text in (
            "password = getpass.getpass()",
            "password = name",
            "token = tokens[0]",
            "def login(user: str, password: str) -> bool: ...",
            "def f(password=None, *, token: Optional[str] = None): pass",
            "client = Client(api_key=settings.api_key, token=token)",
            "api_key = os.environ['API_KEY']",
            "const apiKey = process.env.API_KEY;",
            "if not password:\n    raise ValueError('password missing')",
            "sorted(rows, key=lambda row: row.key)",
            "self.password = password",
            "secret = config.get('secret')",
            "auth = (user, password)",
            "auth=HTTPBasicAuth(user, password)",
            "headers = {'Authorization': f'Bearer {token}'}",
            'print("Password: ", end="")',
            "password: Optional[SecretStr] = None",
            "token: string | null;",
            "interface Login { user: string; password: string; }",
            "public_key = load_pem_public_key(data)",
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
            "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ3Jm\n-----END CERTIFICATE-----",
            'if text.startswith("-----BEGIN PRIVATE KEY-----"): return load(text)',
            "PWD=/home/ada/shop",
            "cd $PWD:/app",
            "API_KEY=your-api-key-here",
            "TOKEN=<token>",
            "PASSWORD=********",
            "password: ${DB_PASSWORD}",
            "password: {{ .Values.password }}",
            "token: ${{ secrets.TOKEN }}",
            "password = %(password)s",
            "Authorization: Bearer $TOKEN",
            "Authorization: Bearer <token>",
            "docker run -u 1000:1000 -p 8080:80 image",
            "mkdir -p build && ssh -p 2222 host",
            "@pytest.mark.parametrize('password', ['', None])",
            "SELECT key, value FROM kv WHERE key = 'colour'",
            "git log --author=ada --oneline",
            "import secrets; secrets.token_hex(16)",
            "assert token == expected_token",
            "elif token == 0x10:",
            "FooTokenizer.from_pretrained(name, use_auth_token=True)",
            "tokenizer = AutoTokenizer.from_pretrained('gpt2')",
            "user, password = line.split(':')",
        )
    ),
    "prose": tuple(
        partial(_same, {"text": text})
        for text in (
            "The password must be 12 characters.",
            "I forgot my password and need a new one.",
            "Password: required",
            "Password: must have at least 8 characters",
            "password: see the vault",
            "Is the password: yes or no?",
            "token: expired",
            "The token is invalid.",
            "The token was revoked yesterday.",
            "The secret of a good soup is time.",
            "The API key is stored in the vault.",
            "Please never share your password or API key.",
            "Each token costs 0.01 cents.",
            "Token: a unit of text for a model",
            "Authors: Ada, Grace; secretary: Mr. Boole",
            "Authorization for the trip was granted on Monday.",
            "Basic information about bearer bonds",
            "Basic authentication is switched off.",
            "The bearer of this letter may enter.",
            "Cookie: a small sweet cake",
            "Press any key to continue; key: value",
            "keyboard: QWERTY, monkey: ape, hockey: 3-2",
            "pass: the salt, please",
            "auth: none",
            "Passwords: why they are here to stay",
            "The PIN is on the letter we sent.",
            "He signed the signature: a big A",
            "sk-learn, task-force and risk-averse people",
            "AKIA and eyJ are how some keys begin.",
            "mail ada@example.com or ask @grace",
            "https://example.com/@ada/posts and https://example.com/?key=title",
            "https://example.com:8080/a@b",
            "git@github.com:ada/shop.git",
            "The session key note was moved to Tuesday.",
            "password reset: sent at 10:32",
            "two-factor authentication: enabled",
        )
    ),
    "names": tuple(
        partial(_same, value)
        for value in (
            {"key": "colour", "value": "red"},
            {"primary_key": "id", "sort_key": "name", "foreign_key": "user_id"},
            {"cache_key": "user:42", "object_key": "a/b.png", "partition_key": "2026-11"},
            {"keys": ["a", "b"], "keyword": "lamp", "answer_key": "B"},
            {"author": "Ada", "authors": ["Ada"], "secretary": "Mr. Boole"},
            {"has_password": True, "password_policy": "strong", "password_hint": "pet"},
            {"auth_method": "oauth", "auth_url": "https://example.com/auth", "token_url": "https://example.com/token"},
            {"secret_name": "db/prod", "api_key_name": "prod", "token_name": "USDC", "api_key_id": "7"},
            {"cookie_consent": True, "cookie_policy": "strict", "csrf_protection": True},
            {
                "type": "object",
                "properties": {"password": {"type": "string", "description": "The password"}},
                "required": ["user", "password"],
            },
            {"password": None, "token": "", "secret": False, "api_key": "<your key>"},
            {"public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0r"},
            {"license_plate": "B-AB 123", "passenger": "Ada", "passport_required": True},
            {"signature": "def f(x: int) -> str", "salt": "a pinch", "pin": "GPIO7", "seed": 42},
            {"sid": "Stmt1469123904194", "pat": "no", "code": "E42", "status_code": 200},
            ["user", "password", "token"],
            {"args": ["tar", "-p", "-x"], "env": ["PATH"]},
            {"session_id": "abc", "tokenized": "a b", "passage": "text"},
        )
    ),
}
"""What only looks like a secret."""


def harmless(seed: int = 0, times: int = 4) -> Iterator[Case]:
    """Draw values of each harmless form; those with nothing to draw come once."""
    for category, makes in HARMLESS.items():
        for number, make in enumerate(makes):
            for turn in range(times if category == "ids" else 1):
                yield Case(category, f"{number}", make(Draw(f"{seed} {category} {number} {turn}")))
