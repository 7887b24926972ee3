#pragma once
#include <postgresql/libpq-fe.h>

/* The adapter relies on PQERRORS_VERBOSE while connecting and on PQsetSingleRowMode; both are there since 9.2. */
#ifndef LIBPQ_HAS_PIPELINING
#error "libpq 14 or newer is needed (Debian 12 ships 15)"
#endif

/* The PG_DIAG_ field codes are character-literal macros, which Swift does not import. One accessor each. */
static inline const char *clibpq_sqlstate(const PGresult *r) { return PQresultErrorField(r, PG_DIAG_SQLSTATE); }
static inline const char *clibpq_message(const PGresult *r) { return PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY); }
static inline const char *clibpq_detail(const PGresult *r) { return PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL); }
static inline const char *clibpq_hint(const PGresult *r) { return PQresultErrorField(r, PG_DIAG_MESSAGE_HINT); }
static inline const char *clibpq_table(const PGresult *r) { return PQresultErrorField(r, PG_DIAG_TABLE_NAME); }
static inline const char *clibpq_constraint(const PGresult *r) { return PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME); }
/* 'S' is translated by the server's lc_messages; 'V' is not. */
static inline const char *clibpq_severity(const PGresult *r) { return PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED); }
