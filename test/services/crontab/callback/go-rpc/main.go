// A server of Go's own net/rpc/jsonrpc on loopback; it prints its port and ends with its standard input.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"strings"
)

type Arith struct{}

type Args struct{ A, B int64 }

func (Arith) Mul(args Args, reply *int64) error {
	*reply = args.A * args.B
	return nil
}

func (Arith) Div(args Args, reply *int64) error {
	if args.B == 0 {
		return errors.New("divide by zero")
	}
	*reply = args.A / args.B
	return nil
}

type Text struct{}

func (Text) Echo(given any, reply *any) error {
	*reply = map[string]any{"given": given}
	return nil
}

func (Text) Repeat(count int, reply *string) error {
	*reply = strings.Repeat("x", count)
	return nil
}

func main() {
	for _, service := range []any{Arith{}, Text{}} {
		if err := rpc.Register(service); err != nil {
			panic(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go jsonrpc.ServeConn(connection)
		}
	}()
	io.Copy(io.Discard, os.Stdin)
}
