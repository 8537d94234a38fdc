/** Two certificates that signed themselves, as a proxy would tell them. Their private keys are thrown away: a header needs none. */
import { X509Certificate } from 'node:crypto'

const certificate = (lines: readonly string[]) =>
  new X509Certificate(['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'))

/** C=CH, O="Acme, Inc.", CN=machine.acme.example; with a DNS name, a URI, an address and an e-mail address. */
export const machineCertificate = certificate([
  'MIICKjCCAdCgAwIBAgIUdLuggPftSno/uMRFg+DaGSin8AQwCgYIKoZIzj0EAwIw',
  'QTELMAkGA1UEBhMCQ0gxEzARBgNVBAoMCkFjbWUsIEluYy4xHTAbBgNVBAMMFG1h',
  'Y2hpbmUuYWNtZS5leGFtcGxlMCAXDTI2MTEyMzEyMzE1OFoYDzIxMjYxMDMwMTIz',
  'MTU4WjBBMQswCQYDVQQGEwJDSDETMBEGA1UECgwKQWNtZSwgSW5jLjEdMBsGA1UE',
  'AwwUbWFjaGluZS5hY21lLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC',
  'AARUbS6XFu3OfhL7ZcWHlb0dAFuaIyJ7XwlVi3FJCLVlrs9DDoEh1hbUxdN5fwmP',
  'sNooJ6Wk9DqVNFapEmpjVkePo4GjMIGgMB0GA1UdDgQWBBQlT026xIZVfS7IGule',
  'aIk7CUorfzAfBgNVHSMEGDAWgBQlT026xIZVfS7IGuleaIk7CUorfzAPBgNVHRMB',
  'Af8EBTADAQH/ME0GA1UdEQRGMESCFG1hY2hpbmUuYWNtZS5leGFtcGxlhhB1cm46',
  'YWNtZTptYWNoaW5lhwTAAAIHgRRtYWNoaW5lQGFjbWUuZXhhbXBsZTAKBggqhkjO',
  'PQQDAgNIADBFAiBtnUxJeZUcA2aq7B0cP/IHObO06Xn7I2Vs6tvxq2buUwIhAJTS',
  'VEbD3I8djYxswn7nMxMOQrPSVOvH+UMKjai0S+BN',
])

/** CN=other. */
export const otherCertificate = certificate([
  'MIIBdzCCAR2gAwIBAgIUPPYxPF/vqvq0ElIZaFF0cKyWXL4wCgYIKoZIzj0EAwIw',
  'EDEOMAwGA1UEAwwFb3RoZXIwIBcNMjYxMTIzMTIzMTU4WhgPMjEyNjEwMzAxMjMx',
  'NThaMBAxDjAMBgNVBAMMBW90aGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE',
  'tJ+CziRBiOeOxAK/NAIlwxebUE68VD7GVn1okhbvZM86b+dhfOSUt5Bx8U5A8Dnn',
  'fk01DueKpSChx/7b109lGKNTMFEwHQYDVR0OBBYEFJNSqE5JCUO+ZkBcTAd4fjPF',
  'MXQTMB8GA1UdIwQYMBaAFJNSqE5JCUO+ZkBcTAd4fjPFMXQTMA8GA1UdEwEB/wQF',
  'MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhANfVNTvU0/AGzkfj+LV5FwW+m/54Hq5U',
  'H2Iqn9GUvemOAiAJ3sqaaoozt77WHGBeK2x5vj/xzt2NXZJirPFpIVeSGg==',
])

/** The header by which nginx tells a certificate. */
export const asHeader = (told: X509Certificate) => ({ 'x-ssl-client-cert': encodeURIComponent(told.toString()) })
