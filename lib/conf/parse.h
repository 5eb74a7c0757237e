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
#define MARK 302
#define MASQUERADE 303
#define MBOX 304
#define MEMORY 305
#define MESSAGE 306
#define MILTER 307
#define NETWORK 308
#define NO 309
#define ON 310
#define ORIGIN 311
#define PER 312
#define PERMIT 313
#define PGSQL 314
#define PIPE 315
#define PLAINTEXT 316
#define POP3 317
#define POP3S 318
#define PORT 319
#define POSTMASTER 320
#define PROXY 321
#define QUERY 322
#define QUEUE 323
#define QUOTA 324
#define RATE 325
#define RDNS 326
#define RECIPIENT 327
#define RECIPIENTS 328
#define REJECT 329
#define RELAY 330
#define REQUIRE 331
#define RETRY 332
#define SANDBOX 333
#define SELECTOR 334
#define SENDER 335
#define SESSIONS 336
#define SIEVE 337
#define SIGN 338
#define SMTP 339
#define SMTPS 340
#define SOURCE 341
#define SPECIAL 342
#define SPF 343
#define SPOOL 344
#define SQLITE 345
#define STATE 346
#define STDERR 347
#define SUBMISSION 348
#define SYSLOG 349
#define SYSTEM 350
#define TABLE 351
#define TAG 352
#define TEMPFAIL 353
#define TEST 354
#define TLS 355
#define TO 356
#define UNSAFE 357
#define USER 358
#define USERS 359
#define VERIFY 360
#define VIA 361
#define WARN 362
#define STRING 363
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
