#include "process/reach.h"

#include <openssl/x509.h>

#include "format/endpoint.h"

#define AT(member) offsetof(struct settings, member)

enum { DOMAIN_PORT = 53 }; /* DNS over TCP, for answers that are too long for UDP */

/* ---- what the settings name */

static const struct {
    size_t offset;
    bool is_list; /* struct settings_list, or one path that may be unset */
    unsigned rights;
} named[] = {
    {AT(token.secret_file), true, REACH_READ | REACH_BESIDE},
    {AT(token.public_key_file), true, REACH_READ | REACH_BESIDE},
    {AT(token.jwks_file), true, REACH_READ | REACH_BESIDE},
    {AT(database.password_file), false, REACH_READ | REACH_BESIDE},
    {AT(database.tls_ca), false, REACH_READ | REACH_BESIDE},
    {AT(provision.password_file), false, REACH_READ | REACH_BESIDE},
    {AT(doctor.secret_file), false, REACH_READ | REACH_BESIDE},
    {AT(profile.zoneinfo), false, REACH_READ},
    {AT(watch.secret_file), false, REACH_READ | REACH_BESIDE},
    {AT(watch.metrics_file), false, REACH_READ | REACH_WRITE | REACH_MAKE | REACH_BESIDE},
    {AT(cache.path), false, REACH_READ | REACH_WRITE | REACH_MAKE | REACH_BESIDE},
    {AT(log.file), false, REACH_WRITE | REACH_MAKE | REACH_BESIDE},
};

/* ---- what the libraries look for */

static const struct reach_place always[] = {
    {"/dev/null", REACH_READ | REACH_WRITE},
    {"/dev/random", REACH_READ},
    {"/dev/urandom", REACH_READ},
    /* Modules of the C library that look up names, and plugins by which accounts log in. */
    {"/lib", REACH_READ},
    {"/lib64", REACH_READ},
    {"/usr/lib", REACH_READ},
    {"/usr/lib64", REACH_READ},
    {"/usr/local/lib", REACH_READ},
};

/* The settings of OpenSSL, and what they may include; the library knows one folder more. */
static const struct reach_place of_openssl[] = {
    {"/etc/ssl/openssl.cnf", REACH_READ | REACH_BESIDE},
    {"/etc/pki/tls/openssl.cnf", REACH_READ | REACH_BESIDE},
    {"/etc/crypto-policies", REACH_READ},
    {"/usr/share/crypto-policies", REACH_READ},
};

/* Of a database that is reached by TCP: names, and who signs certificates. */
static const struct reach_place of_network[] = {
    {"/etc", REACH_READ}, /* each of its files is replaced as a whole when it changes */
    {"/etc/hosts", REACH_READ | REACH_BESIDE},
    {"/etc/resolv.conf", REACH_READ | REACH_BESIDE},
    {"/run/systemd/resolve", REACH_READ},
    {"/etc/ssl/certs/ca-certificates.crt", REACH_READ | REACH_BESIDE},
    {"/etc/pki/tls/certs/ca-bundle.crt", REACH_READ | REACH_BESIDE},
    {"/var/lib/ca-certificates", REACH_READ},
    {"/usr/share/ca-certificates", REACH_READ},
};

/* ---- the whole */

static void add(struct reach *reach, const char *path, unsigned rights)
{
    if (path != NULL && reach->place_count < REACH_PLACES_MAX)
        reach->places[reach->place_count++] = (struct reach_place){path, rights};
}

static void add_all(struct reach *reach, const struct reach_place *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(reach, places[i].path, places[i].rights);
}

static void add_named(struct reach *reach, const struct settings *settings)
{
    for (size_t i = 0; i < ARRAY_LENGTH(named); i++) {
        const void *place = (const char *)settings + named[i].offset;
        const struct settings_list *list = place;

        if (!named[i].is_list)
            add(reach, *(const char *const *)place, named[i].rights);
        for (size_t item = 0; named[i].is_list && item < list->count; item++)
            add(reach, list->items[item], named[i].rights);
    }
}

/* Where what is kept lies, unless the settings name a place for it. */
static void add_memory(struct reach *reach, const struct settings *settings)
{
    if (settings->cache.mode != SETTINGS_CACHE_OFF && settings->cache.path == NULL)
        add(reach, "/dev/shm", REACH_READ | REACH_WRITE | REACH_MAKE);
}

static void add_ports(struct reach *reach, const struct settings *settings)
{
    const struct settings_list *hosts = &settings->database.host;
    struct endpoint endpoint;

    for (size_t i = 0; i < hosts->count && reach->port_count < REACH_PORTS_MAX - 1; i++)
        if (endpoint_parse(hosts->items[i], &endpoint, NULL) && !endpoint.is_socket)
            reach->ports[reach->port_count++] = endpoint.port;
    if (reach->port_count > 0)
        reach->ports[reach->port_count++] = DOMAIN_PORT;
}

void reach_from_settings(const struct settings *settings, struct reach *out)
{
    out->place_count = out->port_count = 0;
    add_all(out, always, ARRAY_LENGTH(always));
    add_all(out, of_openssl, ARRAY_LENGTH(of_openssl));
    add(out, X509_get_default_cert_area(), REACH_READ);
    add_named(out, settings);
    add_memory(out, settings);
    add_ports(out, settings);
    if (out->port_count > 0)
        add_all(out, of_network, ARRAY_LENGTH(of_network));
}
