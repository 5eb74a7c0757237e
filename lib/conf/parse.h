#ifndef _yy_defines_h_
#define _yy_defines_h_

#define ACCEPT 257
#define ADDRESS 258
#define AFTER 259
#define ALIAS 260
#define ALIASES 261
#define ANY 262
#define ARCHIVE 263
#define AS 264
#define AUTH 265
#define AUTHENTICATED 266
#define BAD 267
#define BANNER 268
#define BOUNCE 269
#define CATCHALL 270
#define CERT 271
#define DELIVER 272
#define DKIM 273
#define DMARC 274
#define DNSBL 275
#define DOMAIN 276
#define EVERY 277
#define EXPECT 278
#define EXPIRE 279
#define FAILURE 280
#define FETCH 281
#define FILENAME 282
#define FILTER 283
#define FROM 284
#define FULL 285
#define HELO 286
#define HOSTNAME 287
#define IMAP 288
#define IMAPS 289
#define INCLUDE 290
#define JSON 291
#define KEY 292
#define LDAP 293
#define LIFETIME 294
#define LIMIT 295
#define LISTEN 296
#define LMTP 297
#define LOCAL 298
#define LOG 299
#define MAILBOX 300
#define MAILDIR 301
#define MALFORMED 302
#define MARK 303
#define MASQUERADE 304
#define MBOX 305
#define MEMORY 306
#define MESSAGE 307
#define MILTER 308
#define NETWORK 309
#define NO 310
#define ON 311
#define ORIGIN 312
#define OURS 313
#define PER 314
#define PERMIT 315
#define PGSQL 316
#define PIPE 317
#define PLAINTEXT 318
#define POP3 319
#define POP3S 320
#define PORT 321
#define POSTMASTER 322
#define PROXY 323
#define QUERY 324
#define QUEUE 325
#define QUOTA 326
#define RATE 327
#define RDNS 328
#define RECIPIENT 329
#define RECIPIENTS 330
#define REJECT 331
#define RELAY 332
#define REQUIRE 333
#define RETRY 334
#define SANDBOX 335
#define SELECTOR 336
#define SENDER 337
#define SESSIONS 338
#define SIEVE 339
#define SIGN 340
#define SMTP 341
#define SMTPS 342
#define SOURCE 343
#define SPECIAL 344
#define SPF 345
#define SPOOL 346
#define SQLITE 347
#define STATE 348
#define STDERR 349
#define SUBMISSION 350
#define SYSLOG 351
#define SYSTEM 352
#define TABLE 353
#define TAG 354
#define TEMPFAIL 355
#define TEST 356
#define TLS 357
#define TO 358
#define UNKNOWN 359
#define UNSAFE 360
#define USER 361
#define USERS 362
#define VERIFY 363
#define VIA 364
#define WARN 365
#define STRING 366
#ifdef YYSTYPE
#undef  YYSTYPE_IS_DECLARED
#define YYSTYPE_IS_DECLARED 1
#endif
#ifndef YYSTYPE_IS_DECLARED
#define YYSTYPE_IS_DECLARED 1
typedef union YYSTYPE {
	struct word	*word;
	struct list	*list;
	struct set	*set;
	int		 num;
} YYSTYPE;
#endif /* !YYSTYPE_IS_DECLARED */
extern YYSTYPE yylval;

#endif /* _yy_defines_h_ */
