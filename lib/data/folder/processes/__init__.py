"""Reading in processes of their own, which parse while this one answers pages: many units ahead, or one long one."""
