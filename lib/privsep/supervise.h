#include "daemon/supervise.h"
