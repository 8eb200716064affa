// A certificate for localhost and 127.0.0.1 that nobody trusts by itself, valid for a century; its key guards nothing.
// openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost \
//   -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout key.pem -out cert.pem

export const loopbackCertificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUTrYh/0BdPhUA6AvGYAK6Fi6wTbowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjA3NTMwMFoYDzIxMjYxMDI5
MDc1MzAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAR0ZVjd7Z59WhFEslymYT5gk/X5rPb1xwceJqlCNBNFzyfuSJE/uJ0L
M9tvOND1hYpyNHHGugt+q7DZS3upfzHCo28wbTAdBgNVHQ4EFgQU8ImNmfFjjeJo
cMwY2+uf1bSxX2EwHwYDVR0jBBgwFoAU8ImNmfFjjeJocMwY2+uf1bSxX2EwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhALTMhnKfRxga7Hwu3vOcfK275U31sjUPxaJRiWaBhbReAiBb
2bx94H/jhMnDmFWIS87rqBea7kWXqiDKeyU3q/yr1A==
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgF371nylL+V23rle8
GLZVFFk+XcxjZ2DV3PJ79BiUvPGhRANCAAR0ZVjd7Z59WhFEslymYT5gk/X5rPb1
xwceJqlCNBNFzyfuSJE/uJ0LM9tvOND1hYpyNHHGugt+q7DZS3upfzHC
-----END PRIVATE KEY-----`,
};
