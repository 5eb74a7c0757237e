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
#define DELAY 272
#define DELIVER 273
#define DKIM 274
#define DMARC 275
#define DNSBL 276
#define DOMAIN 277
#define EVERY 278
#define EXPECT 279
#define EXPIRE 280
#define FAILURE 281
#define FETCH 282
#define FILENAME 283
#define FILTER 284
#define FORWARD 285
#define FROM 286
#define FULL 287
#define HELO 288
#define HOSTNAME 289
#define IMAP 290
#define IMAPS 291
#define INCLUDE 292
#define JSON 293
#define KEY 294
#define LDAP 295
#define LIFETIME 296
#define LIMIT 297
#define LISTEN 298
#define LMTP 299
#define LOCAL 300
#define LOG 301
#define LOGIN 302
#define MAILBOX 303
#define MAILDIR 304
#define MALFORMED 305
#define MARK 306
#define MASQUERADE 307
#define MBOX 308
#define MEMORY 309
#define MESSAGE 310
#define MILTER 311
#define NETWORK 312
#define NO 313
#define ON 314
#define ORIGIN 315
#define OURS 316
#define PER 317
#define PERMIT 318
#define PGSQL 319
#define PIPE 320
#define PLAINTEXT 321
#define POP3 322
#define POP3S 323
#define PORT 324
#define POSTMASTER 325
#define PROXY 326
#define QUERY 327
#define QUEUE 328
#define QUOTA 329
#define RATE 330
#define RDNS 331
#define RECIPIENT 332
#define RECIPIENTS 333
#define REJECT 334
#define RELAY 335
#define REQUIRE 336
#define RETRY 337
#define SANDBOX 338
#define SELECTOR 339
#define SENDER 340
#define SESSIONS 341
#define SIEVE 342
#define SIGN 343
#define SMTP 344
#define SMTPS 345
#define SOURCE 346
#define SPECIAL 347
#define SPF 348
#define SPOOL 349
#define SQLITE 350
#define STATE 351
#define STDERR 352
#define SUBMISSION 353
#define SYSLOG 354
#define SYSTEM 355
#define TABLE 356
#define TAG 357
#define TEMPFAIL 358
#define TEST 359
#define TLS 360
#define TO 361
#define UIDL 362
#define UNKNOWN 363
#define UNSAFE 364
#define USER 365
#define USERS 366
#define VERIFY 367
#define VIA 368
#define WARN 369
#define STRING 370
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
