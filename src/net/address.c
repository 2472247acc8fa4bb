// SPDX-License-Identifier: EUPL-1.2
#include "net_private.h"

#include <arpa/inet.h>
#include <string.h>

/* The host and the port of tcp://host:port; ';', '/', '*' and '%' mean something to libzmq and are in neither. */
static bool split(const char *address, char host[CARNET_NET_ADDRESS_LEN_MAX + 1], unsigned *port)
{
    static const char scheme[] = "tcp://";
    size_t len = strlen(address);
    if (len > CARNET_NET_ADDRESS_LEN_MAX || strncmp(address, scheme, sizeof scheme - 1) != 0)
        return false;
    const char *start = address + sizeof scheme - 1;
    const char *colon = strrchr(start, ':');
    if (!colon || colon == start)
        return false;
    memcpy(host, start, (size_t)(colon - start));
    host[colon - start] = 0;
    size_t digits = strspn(colon + 1, "0123456789");
    if (!digits || digits > 5 || colon[1 + digits] || (colon[1] == '0' && digits > 1))
        return false;
    *port = 0;
    for (const char *p = colon + 1; *p; p++)
        *port = *port * 10 + (unsigned)(*p - '0');
    return *port <= 65535;
}

bool carnet_net_address_ipv6(const char *address, bool *literal)
{
    char host[CARNET_NET_ADDRESS_LEN_MAX + 1];
    unsigned port;
    struct in_addr v4;
    bool ok = split(address, host, &port);
    *literal = ok && (host[0] == '[' || inet_pton(AF_INET, host, &v4) == 1);
    return ok && host[0] == '[';
}

static bool name_valid(const char *host)
{
    size_t len = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
    return len && !host[len] && host[0] != '.' && host[0] != '-';
}

bool carnet_net_address_check(const char *address, bool listening)
{
    char host[CARNET_NET_ADDRESS_LEN_MAX + 1];
    unsigned port;
    if (!split(address, host, &port) || (!port && !listening))
        return false;
    size_t len = strlen(host);
    if (host[0] == '[') {
        struct in6_addr v6;
        if (len < 4 || host[len - 1] != ']')
            return false;
        host[len - 1] = 0;
        return inet_pton(AF_INET6, host + 1, &v6) == 1;
    }
    struct in_addr v4;
    /* digits and dots alone are an address, or nothing */
    if (strspn(host, "0123456789.") == len)
        return inet_pton(AF_INET, host, &v4) == 1;
    return name_valid(host);
}

bool carnet_net_address_valid(const char *address)
{
    return carnet_net_address_check(address, false);
}
