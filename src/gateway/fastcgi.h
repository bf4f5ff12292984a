/*
 * FastCGI (Open Market's specification 1.0, section 6.2: the responder role): requests from a
 * listening socket at descriptor 0, one at a time, until the worker is told to stop.
 */
#ifndef ME_GATEWAY_FASTCGI_H
#define ME_GATEWAY_FASTCGI_H

#include "api/api.h"
#include "process/logfile.h"

/*
 * Stop handlers are installed (process/stop.h), and the log's file is open (process/logfile.h); it
 * is kept up with between requests. True: told to stop; false: `err` says why it cannot go on.
 */
bool fastcgi_serve(struct api *api, const struct settings *settings, const struct log *log,
                   const struct logfile *logfile, struct err *err) MUST_CHECK;

#endif
