module hookscope.invalid/examples/failures

go 1.19
